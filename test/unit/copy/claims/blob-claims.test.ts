import { describe, expect, test } from "vitest";
import { BlobClaims } from "../../../../src/copy/claims/blob-claims.ts";
import { RegistryError } from "../../../../src/errors.ts";

const running = new AbortController().signal;

function refusal(origin: "source" | "target", transient: boolean): RegistryError {
  const error = new RegistryError("refused", { status: transient ? 500 : 403, transient });
  error.origin = origin;
  return error;
}

/** How many of some attempts, one after the other in these repositories, run their task. */
async function attemptsIn(
  repositories: readonly string[],
  error: Error,
  signal: AbortSignal = running,
): Promise<number> {
  const claims = new BlobClaims();
  let runs = 0;
  for (const repository of repositories) {
    const task = async (): Promise<never> => {
      runs += 1;
      return await Promise.reject(error);
    };
    await expect(claims.in(repository).attempt("send", "sha256:a", task, signal)).rejects.toBe(error);
  }
  return runs;
}

describe("BlobClaims.attempt()", () => {
  const [same, others] = [
    ["a", "a", "a"],
    ["a", "b", "c", "d"],
  ];

  test.each([
    ["once in one repository", same, refusal("target", true), 1],
    ["once in one repository that has no rights", same, refusal("target", false), 1],
    ["twice in several repositories", others, refusal("target", true), 2],
    ["in each repository, if it refuses for itself", others, refusal("target", false), 4],
    ["each time, if the source fails: another source may have it", same, refusal("source", true), 3],
    ["each time, if the caller's own code fails", same, new Error("bug"), 3],
  ])("a task that fails at the target runs %s", async (_what, repositories, error, expected) => {
    expect(await attemptsIn(repositories, error)).toBe(expected);
  });

  test("a task that was stopped runs again", async () => {
    const stopped = AbortSignal.abort(new Error("stopped"));
    expect(await attemptsIn(same, refusal("target", true), stopped)).toBe(3);
  });

  test("other blobs and other steps have failures of their own", async () => {
    const claims = new BlobClaims();
    const fail = async (): Promise<never> => await Promise.reject(refusal("target", true));
    await expect(claims.attempt("find", "sha256:a", fail, running)).rejects.toThrow("refused");
    await expect(claims.attempt("send", "sha256:a", async () => 1, running)).resolves.toBe(1);
    await expect(claims.attempt("find", "sha256:b", async () => 2, running)).resolves.toBe(2);
  });
});
