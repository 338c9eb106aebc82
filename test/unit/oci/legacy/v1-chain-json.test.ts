import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { v1ChainJson } from "../../../../src/oci/legacy/v1-chain-json.ts";
import { failureOf } from "../../../support/canaries.ts";

const hex = (text: string): string => createHash("sha256").update(text).digest("hex");
const [A, B, C] = ["a", "b", "c"].map(digit => `sha256:${digit.repeat(64)}`);
const texts = (config: string): readonly (readonly [string, string])[] =>
  v1ChainJson(Buffer.from(config), "it").map(({ id, json }) => [id, Buffer.from(json).toString()]);

it("makes ids as docker 1.12: chain ids below, the image's own on top, nothing for steps without a layer", () => {
  const config = `{"os":"linux", "architecture":"amd64","history":[{"created_by":"ENV","empty_layer":true}],
    "rootfs":{"type":"layers","diff_ids":["${A}","${B}","${C}"]},"os.version":"10","config":{"Cmd":["a && <b>"]}}`;
  const second = hex(`${A} ${B}`);
  expect(texts(config)).toEqual([
    ["a".repeat(64), `{"id":"${"a".repeat(64)}"}`],
    [second, `{"id":"${second}","parent":"${"a".repeat(64)}"}`],
    [
      hex(config),
      `{"architecture":"amd64","config":{"Cmd":["a \\u0026\\u0026 \\u003cb\\u003e"]},"id":"${hex(config)}","os":"linux","parent":"${second}"}`,
    ],
  ]);
});

it("keeps numbers, escapes and the order of inner keys of a config as they are written", () => {
  const config = `{"rootfs":{"type":"layers","diff_ids":["${A}"]},"x":{"2":1.50,"1":"\\u00e9 \\" { ,"},"a": [ 1e3 , {"b" : []} ]}`;
  expect(texts(config)).toEqual([
    [hex(config), `{"a":[1e3,{"b":[]}],"id":"${hex(config)}","x":{"2":1.50,"1":"\\u00e9 \\" { ,"}}`],
  ]);
});

it("makes one layer of an image without layers, and refuses a diff_id that gives no id of 64 digits", async () => {
  expect(texts('{"rootfs":{"type":"layers","diff_ids":[]}}')).toHaveLength(1);
  const sha512 = `{"rootfs":{"type":"layers","diff_ids":["sha512:${"a".repeat(128)}"]}}`;
  const error = await failureOf(Promise.resolve().then(() => texts(sha512)));
  expect(error.message).toMatch(/^Cannot push it: found diff_id sha512:a+, expected sha256$/);
});
