import { describe, expect, test } from "vitest";
import { BadReferenceError, UsageError } from "../../../../src/errors.ts";
import { hasV1 } from "../../../../src/oci/legacy/has-v1.ts";
import { formatV1Reference, parseV1Reference, type V1Reference } from "../../../../src/oci/legacy/v1-reference.ts";

const OLD = { kind: "registry", host: "old.lan:5000" } as const;
const DISK = { kind: "folder", path: "/srv/registry" } as const;

describe("parseV1Reference", () => {
  test.each<[string, V1Reference, string | undefined]>([
    ["v1://old.lan:5000", { store: OLD }, "v1://old.lan:5000"],
    ["v1://OLD.lan:5000/", { store: OLD }, "v1://old.lan:5000"],
    ["v1://old.lan:5000/app", { store: OLD, namespace: "library", name: "app" }, "v1://old.lan:5000/library/app"],
    ["v1://old.lan:5000/Team/App:V1", { store: OLD, namespace: "Team", name: "App", tag: "V1" }, undefined],
    ["v1://old.lan:5000/**", { store: OLD, glob: "**" }, undefined],
    ["v1://old.lan:5000/team/*:1.*", { store: OLD, glob: "team/*", tag: "1.*" }, undefined],
    ["v1://old.lan:5000/a?p", { store: OLD, glob: "library/a?p" }, "v1://old.lan:5000/library/a?p"],
    ["v1://old.lan:5000/app:*", { store: OLD, namespace: "library", name: "app", tag: "*" }, undefined],
    ["v1+dir:/srv/registry", { store: DISK }, undefined],
    ["v1+dir:/srv/registry//team/app:1", { store: DISK, namespace: "team", name: "app", tag: "1" }, undefined],
    ["v1+dir:/srv/registry//**", { store: DISK, glob: "**" }, undefined],
    [
      "v1+dir:/srv//data//app",
      { store: { kind: "folder", path: "/srv//data" }, namespace: "library", name: "app" },
      undefined,
    ],
  ])("%s", (text, expected, written) => {
    expect(parseV1Reference(text)).toEqual(expected);
    const again = formatV1Reference(expected);
    if (written !== undefined) expect(again).toBe(written);
    expect(parseV1Reference(again)).toEqual(expected);
  });

  test.each([
    "v1://",
    "v1:///app",
    "v1://0x7f.1/app",
    "v1://old.lan/..",
    "v1://old.lan/../app",
    "v1://old.lan//app",
    "v1://old.lan/team//app",
    "v1://old.lan/a/b/c",
    "v1://old.lan/te\u0000am/app",
    "v1://old.lan/app:",
    "v1://old.lan/app:-x",
    "v1://old.lan/app:a:b",
    "v1://old.lan/a%2fb",
    "v1://old.lan/app@latest",
    "v1+dir:",
    "v1+dir:///srv",
    "v1+dir:/srv//..",
    "v2://old.lan/app",
    `v1://old.lan/${"a".repeat(256)}`,
  ])("refuses %j", text => {
    expect(() => parseV1Reference(text)).toThrow(BadReferenceError);
  });

  test("a digest is refused because v1 has none", () => {
    const text = `v1://old.lan/app@sha256:${"0".repeat(64)}`;
    expect(() => parseV1Reference(text)).toThrow(UsageError);
    expect(() => parseV1Reference(text)).toThrow(/found a digest/);
  });

  test("a password in a v1 reference is not shown", () => {
    expect(() => parseV1Reference("v1://me:secret@old.lan/app")).toThrow(/^(?!.*secret)/);
  });
});

describe("hasV1", () => {
  test("one kind in a call", () => {
    expect(hasV1([])).toBe(false);
    expect(hasV1(["quay.io/app:1"])).toBe(false);
    expect(hasV1(["v1://old.lan/app", { reference: "v1+dir:/srv//app" }])).toBe(true);
    expect(() => hasV1(["v1://old.lan/app", "quay.io/app:1"])).toThrow(UsageError);
    expect(hasV1("v1://old.lan" as never)).toBe(false);
  });
});
