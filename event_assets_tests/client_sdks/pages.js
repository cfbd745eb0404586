// What pages of other SDKs for browsers do: each sends a few events, by the name in the page's address.
import { AnalyticsBrowser } from "@segment/analytics-next";
import { RudderAnalytics } from "@rudderstack/analytics-js/bundled";
import { jitsuAnalytics } from "@jitsu/js";

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
};

senders[name]().then(() => (document.title = "sent"));
