// What pages of other SDKs for browsers do: each sends a few events, by the name in the page's address.
import { AnalyticsBrowser } from "@segment/analytics-next";
import { RudderAnalytics } from "@rudderstack/analytics-js/bundled";
import { jitsuAnalytics } from "@jitsu/js";

import * as amplitude from "@amplitude/analytics-browser";
import mixpanel from "mixpanel-browser";
import posthog from "posthog-js";
import { flushBuffer, newTracker, setUserId, trackPageView, trackSelfDescribingEvent, trackStructEvent } from "@snowplow/browser-tracker";

const parameters = new URLSearchParams(location.search);
const [name, endpoint, key] = ["sdk", "endpoint", "key"].map((each) => parameters.get(each));
const order = { order_id: "o1", revenue: 12.5 };

async function specification(analytics) {
  await analytics.page("Docs", "P1");
  await analytics.track("Order Completed", order);
  await analytics.identify("u-1", { plan: "pro" });
  await analytics.group("g-1", { name: "Initech" });
}

const senders = {
  segment: () => specification(AnalyticsBrowser.load({ writeKey: key, cdnURL: endpoint })),
  async rudder() {
    const analytics = new RudderAnalytics();
    analytics.load(key, endpoint, { configUrl: endpoint });
    await specification(analytics);
  },
  async jitsu() {
    const analytics = jitsuAnalytics({ host: endpoint, writeKey: `site:${key}` });
    await analytics.page();
    await analytics.track("Order Completed", order);
    await analytics.identify("u-1", { plan: "pro" });
    await analytics.group("g-1", { name: "Initech" });
  },
  async posthog() {
    posthog.init(key, { api_host: endpoint, person_profiles: "always", autocapture: false, opt_out_useragent_filter: true });
    posthog.capture("Order Completed", order);
    posthog.identify("u-1", { plan: "pro" });
    posthog.group("company", "g-1", { name: "Initech" });
    posthog.capture("After");
  },
  async amplitude() {
    const remote = { remoteConfig: { fetchRemoteConfig: false } };
    const serverUrl = `${endpoint}/2/httpapi`;
    await amplitude.init(key, { serverUrl, autocapture: { pageViews: true, sessions: true }, ...remote }).promise;
    amplitude.track("Order Completed", order);
    amplitude.setUserId("u-1");
    amplitude.identify(new amplitude.Identify().set("plan", "pro"));
  },
  async mixpanel() {
    mixpanel.init(key, { api_host: endpoint, batch_flush_interval_ms: 500, track_pageview: true });
    mixpanel.track("Order Completed", order);
    mixpanel.identify("u-1");
    mixpanel.people.set({ plan: "pro" });
    mixpanel.track("After");
  },
  async snowplow() {
    newTracker("sp", `${endpoint}/${key}`, { appId: "shop", retryFailedRequests: true });
    setUserId("u-1");
    trackPageView();
    const described = { schema: "iglu:com.acme/order_completed/jsonschema/1-0-0", data: order };
    trackSelfDescribingEvent({ event: described });
    trackStructEvent({ category: "shop", action: "add-to-cart", value: 2 });
    setInterval(() => flushBuffer(), 1000); // what failed is sent with what comes next; here nothing does
  },
};

senders[name]().then(() => (document.title = "sent"));
