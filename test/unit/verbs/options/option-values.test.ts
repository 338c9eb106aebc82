// biome-ignore-all lint/suspicious/noSparseArray: a caller may pass one.
import { describe, expect, test } from "vitest";
import * as library from "../../../../src/index.ts";
import { dockerArchive, fileWith, temporaryFolder } from "../../../support/images.ts";
import { ScriptedRegistry } from "../../../support/scripted-registry.ts";

describe("a string in place of a list", () => {
  const text = "/x.tar" as unknown as readonly string[];

  test.each<[string, () => Promise<unknown>, string]>([
    ["push()", async () => await library.push(text), 'Cannot push: found "/x.tar", expected an array of archives'],
    [
      "pull()",
      async () => await library.pull(text, { output: "o" }),
      'Cannot pull: found "/x.tar", expected an array of',
    ],
    [
      "copyTo()",
      async () => await library.copyTo(text, "r.lan/m"),
      'Cannot copy: found "/x.tar", expected an array of',
    ],
    [
      "tag()",
      async () => await library.tag("r.lan/a:1", text),
      'Cannot tag: found "/x.tar", expected an array of names',
    ],
  ])("%s refuses it at once instead of working on its characters", async (_name, call, message) => {
    await expect(call()).rejects.toMatchObject({
      code: "ERR_USAGE",
      message: expect.stringContaining(message),
      hint: "Put a single one in brackets.",
    });
  });
});

/** Calls a function as JavaScript can: with anything. */
type Call = (...words: readonly unknown[]) => Promise<unknown>;

/** What each function takes before its options. */
const ARGUMENTS: Readonly<Record<string, readonly unknown[]>> = {
  push: [["a.tar"]],
  pull: [["r.lan/a:1"]],
  copy: ["r.lan/a:1", "r.lan/b:1"],
  copyTo: [["r.lan/a:1"], "r.lan/m"],
  listReferences: [["list.txt"]],
  lock: [["r.lan/a:1"]],
  mirrors: [["a.tar"]],
  matchImages: [["r.lan/a:*"]],
  missingImages: [["r.lan/a:1"]],
  tag: ["r.lan/a:1", ["2"]],
  serve: [],
};

const FUNCTIONS: readonly (readonly [string, Call, readonly unknown[]])[] = Object.entries(library)
  // Those that are not async take no options.
  .filter(([, value]) => /^async/.test(String(value)))
  .map(([name, value]) => [name, value as unknown as Call, ARGUMENTS[name] ?? ["r.lan/a:1"]]);

describe("options that a compiler did not check", () => {
  test.each(FUNCTIONS)(
    "%s() refuses an option that it does not have, and a signal that is none",
    async (_, call, words) => {
      const usage = { code: "ERR_USAGE", message: expect.stringContaining("Cannot ") };
      await expect(call(...words, { sginal: 1 })).rejects.toMatchObject({
        ...usage,
        message: expect.stringMatching(/^Cannot use option "sginal": no such option, expected one of /),
        hint: "Did you mean signal?",
      });
      await expect(call(...words, "r.lan")).rejects.toMatchObject(usage);
      await expect(call(...words, null)).rejects.toMatchObject(usage);
      for (const index of words.keys()) {
        const changed = words.map((word, other) => (other === index ? 5 : word));
        await expect(call(...changed, {})).rejects.toMatchObject(usage);
      }
    },
  );

  test.each<[string, readonly unknown[], unknown, string]>([
    ["pull", [["r.lan/a"]], undefined, "Cannot read the options: found nothing, expected an object"],
    ["pull", [["r.lan/a"]], {}, "option output: found nothing, expected a path or a writable stream"],
    ["pull", [["r.lan/a"]], { output: "-" }, 'option output: found "-", expected a path or a writable stream'],
    ["pull", [["r.lan/a"]], { output: "o", dryRun: "false" }, 'option dryRun: found "false", expected true or false'],
    [
      "pull",
      [["r.lan/a"]],
      { output: "o", platform: [] },
      "option platform: found an empty array, expected a string or",
    ],
    [
      "push",
      [["a.tar"]],
      { image: [] },
      "option image: found an empty array, expected a string or an array of strings",
    ],
    ["push", [["a.tar"]], { concurrency: 65 }, "option concurrency: found 65, expected a whole number from 1 to 64"],
    [
      "push",
      [["a.tar"]],
      { registry: { auth: { user: "u", pass: "p" } } },
      'option "registry.auth.user": no such option',
    ],
    ["push", [["a.tar"]], { registry: { retry: { count: 101 } } }, "option registry.retry.count: found 101, expected"],
    ["push", [["a.tar"]], { signal: {} }, "option signal: found an object, expected an AbortSignal"],
    ["doctor", ["a.tar"], { repair: "-" }, 'option repair: found "-", expected the path of a file'],
    ["tags", ["r.lan/a"], { sort: "size" }, 'option sort: found "size", expected semver, time or name'],
    ["latest", ["r.lan/a"], { by: ["semver"] }, "option by: found an array, expected semver or created"],
    ["importImage", ["r"], { tag: "a", format: "v1" }, 'option format: found "v1", expected oci or docker'],
    ["importImage", ["r"], { tag: "a", compression: "lz4" }, 'option compression: found "lz4", expected auto, keep'],
    ["importImage", ["r"], { tag: "a", output: "-" }, 'option output: found "-", expected the path of a file'],
    ["convert", ["a.tar"], { output: "o", for: "constructor" }, 'option for: found "constructor", expected docker20'],
    ["deleteImage", ["r.lan/a:1"], {}, "option confirm: found nothing, expected a function"],
    ["login", ["r.lan"], { username: "u" }, "option password: found nothing, expected a string"],
    ["push", [[,]], {}, "Cannot push: found an array with other things than strings, expected an array of archives"],
    ["pull", [[,]], { output: "o" }, "Cannot pull: found an array with other things than references"],
    ["copyTo", [[,], "r.lan/m"], {}, "Cannot copy: found an array with other things than references"],
    ["tag", ["r.lan/a:1", [,]], {}, "Cannot tag: found an array with other things than strings"],
    ["push", [["a.tar"]], { tag: [,] }, "option tag: found an array with other things than strings"],
    ["pull", [["r.lan/a"]], { output: "o", platform: [,] }, "option platform: found an array with other things"],
    ["importImage", ["r"], { tag: "a", env: [,] }, "option env: found an array with other things than strings"],
    ["serve", [], { store: "s", allowHost: [,] }, "option allowHost: found an array with other things than strings"],
    [
      "pull",
      [["r.lan/a"]],
      { output: "o", trustedReferences: [,] },
      "option trustedReferences: found an array with other things than strings",
    ],
    ["push", [["a.tar"]], { signal: { throwIfAborted: 5 } }, "option signal: found an object, expected an AbortSignal"],
    ["push", [["-"]], { stdin: { pipe: 1 } }, "option stdin: found an object, expected a readable stream"],
    ["push", [["-"]], { stdin: { pipe() {} } }, "option stdin: found an object, expected a readable stream"],
    ["pull", [["r.lan/a"]], { output: { write: 1 } }, "option output: found an object, expected a path or a writable"],
    [
      "pull",
      [["r.lan/a"]],
      { output: { write() {} } },
      "option output: found an object, expected a path or a writable",
    ],
    ["logout", ["r.lan"], { env: { HOME: 5 } }, "option env: found an object, expected an object like process.env"],
    ["verify", ["a\0.tar"], {}, 'Cannot verify: found "a\\u{0}.tar", expected the path of an archive'],
  ])("%s(%j, %j)", async (name, words, options, message) => {
    const call = FUNCTIONS.find(([other]) => other === name)?.[1];
    await expect(call?.(...words, options)).rejects.toMatchObject({
      code: "ERR_USAGE",
      message: expect.stringContaining(message),
    });
  });

  test("an option that is undefined counts as absent", async () => {
    await expect(library.push([], { to: undefined, tag: undefined })).resolves.toMatchObject({ images: [] });
  });

  test("a getter is asked once, so that the value that was checked is the one that is used", async () => {
    const output = `${await temporaryFolder()}/out.tar`;
    const asked: string[] = [];
    const options = {
      get output() {
        asked.push("output");
        return output;
      },
      get layers() {
        asked.push("layers");
        return asked.filter(name => name === "layers").length === 1 ? ("keep" as const) : (5 as never);
      },
    };
    await library.convert(await fileWith(dockerArchive({ tags: ["app:1"] })), options);
    expect(asked).toEqual(["output", "layers"]);
  });

  test("an array that changes during the call changes nothing", async () => {
    const { host } = await ScriptedRegistry.start();
    const tag = [`${host}/app:1`];
    const archives = [await fileWith(dockerArchive({ tags: ["app:1"] }))];
    const pushing = library.push(archives, { tag });
    tag.push(5 as never);
    archives.push(5 as never);
    await expect(pushing).resolves.toMatchObject({ images: [{ reference: `${host}/app:1` }] });
  });

  test("a changed Object.prototype gives no option", async () => {
    const { host } = await ScriptedRegistry.start();
    await library.push([await fileWith(dockerArchive({ tags: ["app:1"] }))], { registry: host });
    const inherited = { username: "zz", token: "zz", plainHttp: false, count: -1, limitRate: 1, platform: 5 };
    const values = Object.entries(inherited);
    for (const [name, value] of values) Object.defineProperty(Object.prototype, name, { value, configurable: true });
    try {
      for (const options of [undefined, {}, { registry: {} }, { registry: { auth: {}, tls: {}, retry: {} } }])
        await expect(library.digest(`${host}/app:1`, options)).resolves.toMatchObject({
          digest: expect.stringMatching(/^sha256:/),
        });
    } finally {
      for (const [name] of values) Reflect.deleteProperty(Object.prototype, name);
    }
  });
});
