import { describe, expect, test } from "vitest";
import { AuthError, NetworkError, RegistryError } from "../../../../src/errors.ts";
import { LimitedPath } from "../../../../src/registry/client/limited-path.ts";

const limit = new RegistryError("status 429", { status: 429, transient: true });
const fault = new RegistryError("status 500", { status: 500, transient: true });
const reset = new NetworkError("connection reset", { transient: true });

interface Asked {
  /** Attempts of each question; "other" is the request that tells whether the host takes any. */
  readonly seen: (number | undefined | "other")[];
  readonly ask: (...answers: (string | Error)[]) => Promise<unknown>;
}

function asked(): Asked {
  const path = new LimitedPath();
  const seen: Asked["seen"] = [];
  const ask: Asked["ask"] = async (...answers) => {
    const next = (): string => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer ?? expect.fail("asked too often");
    };
    return await path.ask({
      ask: async attempts => {
        seen.push(attempts);
        return next();
      },
      askOther: async () => void seen.push("other"),
      signal: undefined,
    });
  };
  return { seen, ask };
}

describe("LimitedPath", () => {
  test("asks nothing any more where all retries, and one more, were refused, and no request was ever answered", async () => {
    const { seen, ask } = asked();
    expect(await ask(limit, limit)).toBe(limit);
    expect(await ask()).toBe(limit);
    expect(seen).toEqual([undefined, "other", 1]);
  });

  test("asks each once where some were answered before, and with all retries when one is answered again", async () => {
    const { seen, ask } = asked();
    expect(await ask("first")).toBe("first");
    expect(await ask(limit, limit)).toBe(limit);
    expect(await ask(limit)).toBe(limit);
    expect(await ask("second")).toBe("second");
    expect(await ask("third")).toBe("third");
    expect(seen).toEqual([undefined, undefined, "other", 1, 1, 1, undefined]);
  });

  test("after a failure asks each once, unless the connection breaks", async () => {
    const { seen, ask } = asked();
    await expect(ask(fault)).rejects.toBe(fault);
    await expect(ask(fault)).rejects.toBe(fault);
    expect(await ask(reset, "there")).toBe("there");
    expect(seen).toEqual([undefined, 1, 1, undefined]);
  });

  test("an answer that refuses for good is an answer", async () => {
    const { seen, ask } = asked();
    const refusal = new AuthError("status 403");
    await expect(ask(refusal)).rejects.toBe(refusal);
    expect(await ask(limit, "there")).toBe("there");
    expect(await ask("there")).toBe("there");
    expect(seen).toEqual([undefined, undefined, "other", 1, undefined]);
  });

  test("all others wait for the first answer", async () => {
    const path = new LimitedPath();
    let questions = 0;
    const ask = async (): Promise<never> => {
      questions += 1;
      await Promise.resolve();
      throw limit;
    };
    const options = { ask, askOther: async () => undefined, signal: undefined };
    const answers = await Promise.all(Array.from({ length: 100 }, async () => await path.ask(options)));
    expect(new Set(answers)).toEqual(new Set([limit]));
    expect(questions).toBe(2);
  });

  test("the next one asks where the first one is interrupted", async () => {
    const path = new LimitedPath();
    const stop = new AbortController();
    const first = path.ask({
      ask: async () => {
        stop.abort(new Error("stopped"));
        throw limit;
      },
      askOther: async () => undefined,
      signal: stop.signal,
    });
    const second = path.ask({ ask: async () => "there", askOther: async () => undefined, signal: undefined });
    await expect(first).rejects.toThrow("stopped");
    expect(await second).toBe("there");
  });
});
