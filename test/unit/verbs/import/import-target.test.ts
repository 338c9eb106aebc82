import { describe, expect, test } from "vitest";
import { type ImportTargetOptions, importTarget } from "../../../../src/verbs/import/import-target.ts";

describe("importTarget()", () => {
  test("sends tags to the registries that they name, each repository once", () => {
    const { destinations, names } = importTarget("x", { tag: ["r.lan/a:1", "r.lan/a:2", "s.lan:5000/b"] });
    expect(names).toEqual([]);
    expect(destinations.map(({ registry, repository, roots }) => [registry, repository, roots[0]?.names])).toEqual([
      ["r.lan", "a", ["1", "2"]],
      ["s.lan:5000", "b", ["latest"]],
    ]);
  });

  test("gives images of an archive full names, and the default registry none of them", () => {
    const tag = ["hello", "r.lan/a:1", "hello:latest"];
    const options = { tag, output: "x.tar", registry: { defaultHost: "d.lan" } };
    expect(importTarget("x", options).names).toEqual(["docker.io/library/hello:latest", "r.lan/a:1"]);
    expect(importTarget("x", { ...options, registry: "s.lan" }).names[0]).toBe("s.lan/hello:latest");
  });

  test.each([
    [{ tag: [] }, "no name given"],
    [{ tag: ["hello:1"] }, "no registry named"],
    [{ tag: [`a@sha256:${"0".repeat(64)}`], output: "x.tar" }, "it names a digest"],
  ])("refuses %j", (options, message) => {
    expect(() => importTarget("x", options as ImportTargetOptions)).toThrow(message);
  });

  test("knows levels and keep", () => {
    const tags = ["r.lan/a"];
    expect(importTarget("x", { tag: tags, compression: "keep" })).toMatchObject({ profile: undefined, isPlain: false });
    expect(importTarget("x", { tag: tags, compression: "gzip:9" }).profile?.level).toBe(9);
    expect(importTarget("x", { tag: tags, format: "docker" })).toMatchObject({ isDocker: true, isPlain: false });
    expect(importTarget("x", { tag: tags })).toMatchObject({ isDocker: false, isPlain: true });
  });
});
