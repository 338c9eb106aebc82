// Rows 27 to 31 of the smuggling matrix and the JSON rules, in every document of an image archive.
import { describe, expect, test } from "vitest";
import { archiveOf, imageWith, type Part, pushBytes, refused } from "./t-image.ts";

/** A known field of each document: exact, in another case, and with a letter that Go folds onto ASCII. */
const FIELDS: readonly (readonly [Part, string, string, string])[] = [
  ["manifest.json", "Layers", "layers", "Layer\u017f"],
  ["index.json", "manifests", "Manifests", "manifest\u017f"],
  ["oci-layout", "imageLayoutVersion", "ImageLayoutVersion", "imageLayoutVer\u017fion"],
  ["manifest", "layers", "LAYERS", "layer\u017f"],
  ["config", "rootfs", "RootFS", "rootf\u017f"],
];
const DIGEST = `sha256:${"0".repeat(64)}`;
const first = (insert: string) => (text: string) => text.replace("{", `{${insert},`);
const verdict = async (part: Part, change: (text: string) => string | Uint8Array): Promise<unknown> =>
  await pushBytes(archiveOf(imageWith({ [part]: change })));

describe.each(FIELDS)("JSON of %s", (part, exact, otherCase, folded) => {
  test.each<[string, string, (text: string) => string | Uint8Array]>([
    ["M-13 / 27 J-1 two values", "json-trailing", text => text + text],
    ["M-13 / 28 J-1 a byte order mark", "json-encoding", text => `\ufeff${text}`],
    ["M-13 / J-1 a NUL behind it", "json-encoding", text => `${text}\0`],
    ["M-13 / J-1 nothing but blanks", "json-syntax", text => text.replace(/./gs, " ")],
    ["M-10 / 29 J-2 a known field twice (golang/go#14750)", "json-duplicate-key", first(`"${exact}":[]`)],
    ["M-10 / 29 J-2 an unknown field twice", "json-duplicate-key", first('"zz":0,"zz":1')],
    ["M-10 / J-2 a field twice, once escaped", "json-duplicate-key", first('"zz":0,"\\u007az":1')],
    ["M-10 / 30 J-3 a field in another case", "json-folded-key", first(`"${otherCase}":[]`)],
    ["M-10 / 31 J-3 a field with a long s", "json-folded-key", first(`"${folded}":[]`)],
    ["M-13 / J-4 invalid UTF-8", "json-encoding", text => Buffer.from(first('"zz":"\u00ff"')(text), "latin1")],
    ["M-13 / J-4 a lone surrogate", "json-encoding", first('"zz":"\\ud800"')],
    ["M-11 / J-5 depth", "json-depth", first(`"zz":${"[".repeat(70)}${"]".repeat(70)}`)],
    ["M-11 / J-5 2,000,000 levels", "json-depth", text => first(`"zz":${"[".repeat(2_000_000)}`)(text)],
    ["M-11 / J-5 more than 500,000 values", "json-tokens", first(`"zz":[${"0,".repeat(500_001)}0]`)],
    ["M-11 / J-5 a string over 1 MiB", "json-string-length", first(`"zz":"${"s".repeat(2 ** 20 + 1)}"`)],
  ])("%s is refused as %s", async (_, reason, change) => {
    const limits: Partial<Record<Part, boolean>> = { "oci-layout": true };
    const isOverCap = limits[part] === true && change('{"a":0}').length > 64 * 1024;
    expect(await verdict(part, change)).toEqual(refused(isOverCap ? "too-large" : reason));
  });
});

describe("JSON numbers and free maps", () => {
  const size = (token: string) => (text: string) => text.replace(/"size":\d+/, `"size":${token}`);
  for (const part of ["index.json", "manifest"] as const) {
    test.each(["-1", "-0", "1e3", "1.0", "1e400", "9007199254740992", "9223372036854775808"])(
      `M-08 / J-6 a size of %s in ${part} is refused (GHSA-f36w-mj3v-6jqv)`,
      async token => {
        expect(await verdict(part, size(token))).toEqual(refused("json-number"));
      },
    );
    test.each<[string, string]>([
      ["01", "json-syntax"],
      ['"123"', "json-number"],
      ["null", "json-number"],
    ])(`M-08 / J-6 a size of %s in ${part} is refused as %s`, async (token, reason) => {
      expect(await verdict(part, size(token))).toEqual(refused(reason));
    });
  }

  test("J-3 / J-7 / M-12 keys of free maps and unknown fields are content: the manifest goes out byte for byte", async () => {
    const labels = '{"A":"1","a":"2","__proto__":"3","constructor":"4","toString":"5"}';
    const changes = {
      config: (text: string) => text.replace('"config":{}', `"config":{"Labels":${labels}}`),
      manifest: first(`"annotations":${labels},"unknown":{"Size":1}`),
    };
    const image = imageWith(changes);
    const { reason, visible } = await pushBytes(archiveOf(image));
    expect(reason).toBe("pushed");
    expect(visible).toContain(image.manifest.name.replace("blobs/sha256/", "sha256:"));
    expect(Object.hasOwn(Object.prototype, "A")).toBe(false);
  });

  test.each<[Part, RegExp, string]>([
    ["manifest.json", /"RepoTags":/, '"RepoTags":true,"x":'],
    ["index.json", /"annotations":/, '"annotations":7,"x":'],
    ["oci-layout", /"1.0.0"/, "7"],
    ["manifest", /"size":/, '"annotations":7,"size":'],
    ["config", /"os":"linux"/, '"os":{}'],
  ])("J-8 a value of the wrong type in %s is refused", async (part, pattern, instead) => {
    expect(await verdict(part, text => text.replace(pattern, instead))).toEqual(refused("json-type"));
  });

  test("J-8 a message names the place and never the value", async () => {
    const { message } = await pushBytes(
      archiveOf(imageWith({ "manifest.json": text => text.replace('["r.lan/app:1"]', '[{"secret":"hunter2"}]') })),
    );
    expect(message).toContain("/0/RepoTags/0");
    expect(message).not.toContain("hunter2");
  });

  test.each([
    "sha256:../../x",
    "sha256:",
    `sha256:${"A".repeat(64)}`,
    `md5:${"0".repeat(32)}`,
    `blake3:${"0".repeat(64)}`,
    `${DIGEST}0`,
    ` ${DIGEST}`,
  ])("M-05 digest %j in an archive is refused (CVE-2024-3727, CVE-2026-95839)", async digest => {
    for (const part of ["index.json", "manifest", "config"] as const) {
      const replaced = (text: string): string => text.replace(/sha256:[0-9a-f]{64}/, digest);
      expect(await verdict(part, replaced), part).toEqual(refused("bad-digest"));
    }
  });
});
