// Secrets that must be seen nowhere but where they belong.
import { expect, onTestFinished } from "vitest";
import { type ConnectOptions, connectRegistry } from "../../src/registry/client/connect-registry.ts";
import type { RegistryClient } from "../../src/registry/client/registry-client.ts";
import type { SeenRequest } from "./scripted-registry.ts";

export const CANARIES = {
  password: "canary-password-8a1f",
  bearer: "canary-bearer-77c2",
  refresh: "canary-refresh-5e0d",
  helper: "canary-helper-31b9",
  proxy: "canary-proxy-c4e6",
  passphrase: "canary-passphrase-90fa",
} as const;

/** Every form in which a canary could be written down. */
const FORMS: readonly string[] = Object.values(CANARIES).flatMap(canary => [
  canary,
  encodeURIComponent(canary),
  // Any of the three alignments in base64, without the ends that neighbours change.
  ...[0, 1, 2].map(shift => {
    const text = Buffer.from(`${"x".repeat(shift)}${canary}`).toString("base64");
    return text.slice(shift === 0 ? 0 : 4, -4);
  }),
]);

/** @param texts What was logged, sent, printed or written. */
export function expectNoCanary(...texts: readonly unknown[]): void {
  for (const text of texts) {
    const written = typeof text === "string" ? text : JSON.stringify(text);
    for (const form of FORMS) expect(written).not.toContain(form);
  }
}

/** All that a person or a log could see of an error. */
export function writtenError(error: unknown): string {
  const parts: string[] = [];
  for (let next: unknown = error; next !== undefined; next = next instanceof Error ? next.cause : undefined) {
    parts.push(String(next), JSON.stringify(next) ?? "");
    if (next instanceof Error && "hint" in next) parts.push(String(next.hint));
  }
  return parts.join("\n");
}

/** Heads and bodies of requests, as one text. */
export function written(requests: readonly SeenRequest[]): string {
  return requests
    .map(
      ({ method, path, headers, body }) => `${method} ${path}\n${JSON.stringify(headers)}\n${body.toString("latin1")}`,
    )
    .join("\n");
}

/** A client that knows nothing of this machine's own configuration. */
export async function clientOf(host: string, options: ConnectOptions = {}): Promise<RegistryClient> {
  const home = "/nonexistent/home";
  const env = { XDG_RUNTIME_DIR: home, ...options.env };
  const client = await connectRegistry(host, { home, root: home, ...options, env });
  onTestFinished(async () => await client.transport[Symbol.asyncDispose]());
  return client;
}

/** The error of a promise that must fail. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  const outcome = await promise.then(
    () => new Error("it did not fail"),
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(Error);
  expect((outcome as Error).message).not.toBe("it did not fail");
  return outcome as Error;
}

export const READ = { verb: "pull", what: "blob", repository: "team/app", actions: "pull", method: "GET" } as const;
