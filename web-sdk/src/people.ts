/** Which segments a person is in, as the collector tells whoever has a read key for them. */

export interface PeopleOptions {
  /** Where the collector is. */
  endpoint: string;
  /** A read key; in a page it is public. */
  readKey: string;
  /** Milliseconds to wait for an answer. */
  timeout?: number;
}

/** A segment, and the day since which somebody is in it. */
export interface Stay {
  segment: string;
  since: string;
}

export interface People {
  /** The segments of a person, by a user id or an anonymous id; none of somebody unknown. Rejects where nobody knows now. */
  segments(id: string): Promise<Stay[]>;
  /** The same of many people, by id, a hundred a request. */
  segmentsOf(ids: Iterable<string>): Promise<Map<string, Stay[]>>;
}

const AT_ONCE = 100;

export function people({ endpoint, readKey, timeout = 2_000 }: PeopleOptions): People {
  const ask = async (path: string, body?: unknown): Promise<unknown> => {
    const headers = { "x-read-key": readKey, "content-type": "application/json" };
    const method = body ? "POST" : "GET";
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), timeout);
    try {
      const url = `${endpoint.replace(/\/+$/, "")}/v1/people${path}`;
      const answer = await fetch(url, { method, headers, body: body ? JSON.stringify(body) : undefined, credentials: "omit", signal: stop.signal });
      if (!answer.ok) throw new Error(`HTTP ${answer.status} ${(await answer.text()).slice(0, 300)}`);
      return await answer.json();
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    segments: async (id) => ((await ask(`/${encodeURIComponent(id)}/segments`)) as { segments: Stay[] }).segments,
    async segmentsOf(ids) {
      const asked = [...new Set(ids)];
      const found = new Map<string, Stay[]>();
      for (let begin = 0; begin < asked.length; begin += AT_ONCE) {
        const answer = await ask("/segments", { ids: asked.slice(begin, begin + AT_ONCE) });
        for (const { id, segments } of (answer as { people: { id: string; segments: Stay[] }[] }).people) found.set(id, segments);
      }
      return found;
    },
  };
}
