// Sends a few events with another SDK for Node: node send.cjs NAME ENDPOINT KEY
const [name, endpoint, key] = process.argv.slice(2);
const order = { order_id: "o1", revenue: 12.5 };
const page = { url: "https://shop.example/p/1?utm_source=news&utm_medium=email" };

async function specification(analytics) {
  const who = { userId: "u-1", anonymousId: "a-1" };
  analytics.identify({ ...who, traits: { plan: "pro" } });
  analytics.page({ ...who, name: "P1", properties: page });
  analytics.track({ ...who, event: "Order Completed", properties: order });
  analytics.group({ ...who, groupId: "g-1", traits: { name: "Initech" } });
  analytics.screen({ ...who, name: "Cart", properties: {} });
  analytics.alias({ userId: "u-1", previousId: "a-0" });
}

const senders = {
  async segment() {
    const { Analytics } = require("@segment/analytics-node");
    const analytics = new Analytics({ writeKey: key, host: endpoint, maxRetries: 10 });
    await specification(analytics);
    await analytics.closeAndFlush({ timeout: 60_000 });
  },
  async rudder() {
    const Analytics = require("@rudderstack/rudder-sdk-node");
    const analytics = new Analytics(key, { dataPlaneUrl: endpoint, flushAt: 20, retryCount: 10 });
    await specification(analytics);
    // It gives up an event on an answer that is not 2xx and rejects a promise of its own, which ends Node by default.
    process.on("unhandledRejection", () => {});
    await new Promise((done) => analytics.flush(done));
  },
  async posthog() {
    const { PostHog } = require("posthog-node");
    const client = new PostHog(key, { host: endpoint, fetchRetryCount: 10, fetchRetryDelay: 500 });
    const distinctId = "u-1";
    client.capture({ distinctId, event: "$pageview", properties: { $current_url: page.url } });
    client.capture({ distinctId, event: "Order Completed", properties: order });
    client.identify({ distinctId, properties: { plan: "pro" } });
    client.groupIdentify({ groupType: "company", groupKey: "g-1", properties: { name: "Initech" } });
    client.alias({ distinctId, alias: "a-1" });
    await client.shutdown(60_000);
  },
  async amplitude() {
    const amplitude = require("@amplitude/analytics-node");
    await amplitude.init(key, { serverUrl: `${endpoint}/2/httpapi`, flushMaxRetries: 20 }).promise;
    const who = { user_id: "u-1", device_id: "a-1", session_id: 1764331200000 };
    const sent = [
      amplitude.track("Order Completed", order, who),
      amplitude.identify(new amplitude.Identify().set("plan", "pro"), who),
      amplitude.groupIdentify("company", "g-1", new amplitude.Identify().set("name", "Initech"), who),
    ];
    await Promise.all(sent.map((each) => each.promise));
  },
  async mixpanel() {
    const { host } = new URL(endpoint);
    const client = require("mixpanel").init(key, { host, protocol: "http" });
    const calls = [
      (done) => client.track("Order Completed", { ...order, distinct_id: "u-1", $device_id: "a-1" }, done),
      (done) => client.people.set("u-1", { plan: "pro" }, done),
      (done) => client.groups.set("company", "g-1", { name: "Initech" }, done),
      (done) => client.alias("a-1", "u-1", done),
      (done) => client.track_batch([{ event: "Batched", properties: { distinct_id: "u-1" } }], (errors) => done(errors?.[0])),
    ];
    const one = (call) => new Promise((done, fail) => call((error) => (error ? fail(error) : done())));
    await Promise.all(calls.map(one)); // what fails is told and not sent again
  },
  async snowplow() {
    const node = require("@snowplow/node-tracker");
    const sent = { pending: 3 };
    const tracker = node.newTracker(
      { namespace: "sp", appId: "shop", encodeBase64: false },
      {
        endpoint: `${endpoint}/${key}`,
        bufferSize: 1,
        onRequestSuccess: (events) => (sent.pending -= events.length),
      },
    );
    tracker.setUserId("u-1");
    tracker.setDomainUserId("a-1");
    tracker.track(node.buildPageView({ pageUrl: page.url, pageTitle: "P1" }));
    const described = { schema: "iglu:com.acme/order_completed/jsonschema/1-0-0", data: order };
    tracker.track(node.buildSelfDescribingEvent({ event: described }));
    tracker.track(node.buildStructEvent({ category: "shop", action: "add-to-cart", value: 2 }));
    // What failed is sent with what comes next; here nothing does.
    for (let tries = 0; sent.pending > 0 && tries < 60; tries++) {
      await tracker.flush();
      await new Promise((done) => setTimeout(done, 1000));
    }
  },
};

senders[name]();
