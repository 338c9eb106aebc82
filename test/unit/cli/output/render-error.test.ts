import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { type RenderErrorOptions, ReportedError, renderError } from "../../../../src/cli/output/render-error.ts";
import { AuthError, IntegrityError, NetworkError, StorageError, UsageError } from "../../../../src/errors.ts";

function render(
  error: unknown,
  options: Partial<RenderErrorOptions> = {},
): Record<"out" | "err", string> & { code: number } {
  const written = { out: "", err: "" };
  const stream = (name: "out" | "err"): Writable =>
    new Writable({
      write(chunk: Buffer, _encoding, onDone) {
        written[name] += chunk.toString();
        onDone();
      },
    });
  const code = renderError(
    error,
    { stdout: stream("out"), stderr: stream("err") },
    { isJson: false, isVerbose: false, ...options },
  );
  return { ...written, code };
}

describe("renderError()", () => {
  test("renderError() prints message and hint, and no cause unasked", () => {
    const cause = new Error("ECONNREFUSED");
    expect(render(new NetworkError("Cannot pull", { hint: "Try later.", cause }))).toEqual({
      out: "",
      err: "Cannot pull\nTry later.\n",
      code: 7,
    });
  });

  test("renderError() prints the chain of causes with --verbose", () => {
    const cause = new Error("outer", { cause: new TypeError("inner") });
    expect(render(new NetworkError("Cannot pull", { cause }), { isVerbose: true }).err).toBe(
      "Cannot pull\n  because: Error: outer\n  because: TypeError: inner\n",
    );
  });

  test("renderError() gives --progress json one line of JSON, with causes only if they are asked for", () => {
    const error = new NetworkError("Cannot pull a\nCannot pull b", { hint: "Try later.", cause: new Error("outer") });
    const known = { kind: "error", code: "ERR_NETWORK", exitCode: 7, message: error.message, hint: "Try later." };
    const { err, out, code } = render(error, { isJsonProgress: true });
    expect([err.split("\n").length, out, code]).toEqual([2, "", 7]);
    expect(JSON.parse(err)).toEqual(known);
    expect(JSON.parse(render(error, { isJsonProgress: true, isVerbose: true }).err)).toEqual({
      ...known,
      causes: ["because: Error: outer"],
    });
  });

  test("renderError() gives --json one object with the end that failed", () => {
    const error = Object.assign(new AuthError("Cannot push", { hint: "Log in." }), { origin: "target" as const });
    const { out, code } = render(error, { isJson: true });
    expect(JSON.parse(out)).toEqual({
      error: { code: "ERR_AUTH", message: "Cannot push", hint: "Log in.", origin: "target" },
    });
    expect(code).toBe(4);
  });

  test("renderError() lets nothing through that steers a terminal, from messages and causes alike", () => {
    const cause = new Error("\u001b]0;title\u0007\u202e");
    const { err } = render(new NetworkError("Cannot pull \u001b[2J\rx", { hint: "\u0000", cause }), {
      isVerbose: true,
    });
    expect(err).toBe("Cannot pull \\u{1b}[2J\\u{d}x\n\\u{0}\n  because: Error: \\u{1b}]0;title\\u{7}\\u{202e}\n");
  });

  test.each([new TypeError("boom"), "boom"])("renderError() owns up to a bug (%s)", error => {
    const { err, code } = render(error);
    expect(err).toMatch(/^This is a bug in imgpack: boom\nPlease report it/);
    expect(code).toBe(1);
  });

  test.each<[command: string | undefined, hint: string]>([
    ["push", 'See "imgpack push --help".'],
    [undefined, 'See "imgpack --help".'],
  ])("renderError() refers a usage error of %s without a hint to the help", (command, hint) => {
    expect(render(new UsageError("Cannot push"), { command }).err).toBe(`Cannot push\n${hint}\n`);
    expect(render(new UsageError("Cannot push", { hint: "Try x." }), { command }).err).toBe("Cannot push\nTry x.\n");
    expect(render(new NetworkError("Cannot push"), { command }).err).toBe("Cannot push\n");
  });

  test("renderError() adds no second object to the one that stdout has already", () => {
    const error = new IntegrityError("Cannot accept archive", { hint: "Copy it again." });
    expect(render(new ReportedError(error), { isJson: true })).toEqual({
      out: "",
      err: "Cannot accept archive\nCopy it again.\n",
      code: 6,
    });
  });

  test("renderError() prints the first error of a run whose disk then failed to close a file, too", () => {
    const first = new StorageError("Cannot write out.tar: no space left, expected a writable file");
    const both = Object.assign(new Error("An error was suppressed during disposal"), {
      error: new Error("EIO"),
      suppressed: first,
    });
    expect(render(both)).toMatchObject({ code: 9, err: `${first.message}\n` });
  });
});
