import { describe, expect, test } from "vitest";
import { NetworkError, RegistryError } from "../../../../src/errors.ts";
import { Crowd } from "../../../../src/registry/client/crowd.ts";
import { Outages } from "../../../../src/registry/client/outages.ts";
import { Retries } from "../../../../src/registry/client/retries.ts";
import { Waits } from "../../../../src/registry/client/waits.ts";

const base = new URL("https://registry.lan");
const registry = "registry.lan";

interface Host {
  readonly outages: Outages;
  /** How many requests came, and how many questions whether it is there. */
  readonly seen: { requests: number; probes: number };
  readonly request: (answer: () => number) => Promise<number>;
}

const silence = (): never => {
  const cause = new DOMException("no answer", "TimeoutError");
  throw new NetworkError("Cannot read manifest a: no answer in time", { transient: true, cause });
};
const limit = (): never => {
  throw new RegistryError("Cannot read manifest a: status 429", { status: 429, transient: true });
};

function host(hasAnswered: boolean, patienceMs: number): Host {
  const seen = { requests: 0, probes: 0 };
  const outages = new Outages({
    base,
    patienceMs,
    answers: () => (hasAnswered ? 1 : 0),
    probe: async () => {
      seen.probes += 1;
      return false;
    },
    sleep: async () => undefined,
    now: () => 0,
  });
  const retries = new Retries(
    { registry, attempts: 3 },
    { outages, crowd: new Crowd(outages.lost), waits: new Waits({ registry }), requests: undefined },
  );
  const request: Host["request"] = async answer =>
    await retries.run("manifest a", undefined, async () => {
      outages.lost.check(base);
      seen.requests += 1;
      const status = answer();
      outages.lost.noteAnswer(base, status);
      return status;
    });
  return { outages, seen, request };
}

describe("a host that never answers any more", () => {
  test.each([
    ["that has never answered", false, 600_000, 0],
    ["that is not waited for", true, 0, 1],
    ["that was waited for in vain", true, 10_000, 5],
  ])("one %s fails later requests at once, with the first error", async (_what, hasAnswered, patienceMs, probes) => {
    const { seen, request } = host(hasAnswered, patienceMs);
    const first = await request(silence).catch(error => error);
    expect(first.message).toContain("no answer in time");
    expect(seen).toEqual({ requests: 3, probes });
    for (let more = 0; more < 100; more += 1) await expect(request(silence)).rejects.toBe(first);
    expect(seen).toEqual({ requests: 3, probes });
  });

  test("is taken back when it answers a request that was under way", async () => {
    const { outages, request } = host(true, 0);
    await expect(request(silence)).rejects.toThrow("no answer in time");
    outages.lost.noteAnswer(base, 503);
    await expect(request(() => 200)).rejects.toThrow("no answer in time");
    outages.lost.noteAnswer(base, 200);
    await expect(request(() => 200)).resolves.toBe(200);
  });

  test("other hosts are not given up", async () => {
    const { outages, request } = host(true, 0);
    await expect(request(silence)).rejects.toThrow("no answer in time");
    expect(() => outages.lost.check(new URL("https://other.lan"))).not.toThrow();
  });
});

describe("a registry that limits requests for ever", () => {
  test("gets one more request after one has used up its retries", async () => {
    const { seen, request } = host(true, 600_000);
    for (let image = 0; image < 100; image += 1) await expect(request(limit)).rejects.toThrow("status 429");
    expect(seen).toEqual({ requests: 4, probes: 0 });
  });

  test("is not given up if not all attempts were refused", async () => {
    const { seen, request } = host(true, 600_000);
    const answers = [silence, silence, limit];
    await expect(request(() => answers.shift()?.() ?? 200)).rejects.toThrow("status 429");
    for (let more = 0; more < 3; more += 1) await expect(request(() => 200)).resolves.toBe(200);
    expect(seen.requests).toBe(6);
  });

  test("is not given up for an answer that no retry has followed", async () => {
    const { seen, request } = host(true, 600_000);
    const lasting = (): never => {
      throw new RegistryError("Cannot read manifest a: status 429", { status: 429 });
    };
    for (let more = 0; more < 3; more += 1) await expect(request(lasting)).rejects.toThrow("status 429");
    expect(seen.requests).toBe(3);
  });

  test("is not given up if it takes other requests meanwhile, or the one more", async () => {
    const { outages, seen, request } = host(true, 600_000);
    const limited = (): never => {
      outages.lost.noteAnswer(base, 200);
      return limit();
    };
    await expect(request(limited)).rejects.toThrow("status 429");
    await expect(request(limit)).rejects.toThrow("status 429");
    await expect(request(() => 200)).resolves.toBe(200);
    await expect(request(() => 200)).resolves.toBe(200);
    expect(seen.requests).toBe(8);
  });
});
