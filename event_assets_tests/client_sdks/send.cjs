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
};

senders[name]();
