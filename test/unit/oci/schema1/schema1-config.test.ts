import { describe, expect, test } from "vitest";
import { ArchiveError } from "../../../../src/errors.ts";
import type { Digest } from "../../../../src/oci/digest.ts";
import { goJson } from "../../../../src/oci/legacy/go-json.ts";
import { parseSchema1 } from "../../../../src/oci/schema1/schema1.ts";
import { schema1Config } from "../../../../src/oci/schema1/schema1-config.ts";
import { sha256 } from "../../../support/memory-registry.ts";
import { type Schema1Step, schema1Bytes, schema1Document, schema1Id } from "../../../support/schema1-images.ts";

// Of two tars of one empty file each, "one" and "two".
const ONE: Digest = "sha256:f3f6f3894236fefc38067a4fcfec9324e75226ec214f4ea993469d42ef17b8b1";
const TWO: Digest = "sha256:a41ab861dcc93d9b2dd332699e9491587be36a435a6ce8c268a7fdac8a7d7f28";

function configOf(steps: readonly Schema1Step[], diffIds: readonly Digest[]): Buffer {
  return Buffer.from(schema1Config(parseSchema1(schema1Bytes(schema1Document(steps)), "t"), diffIds, "t"));
}

const OLD: readonly Schema1Step[] = [
  {},
  { isThrowaway: true, json: { container_config: { Cmd: ["ENV", "x"] }, author: "me", comment: "hm" } },
  {
    json: {
      docker_version: "1.6.0",
      container: "abc",
      author: "A <a@b> & co",
      comment: "c\u2028d",
      Size: 1234,
      os: "linux",
      architecture: "amd64",
      container_config: {
        Hostname: "h",
        Memory: 0,
        MemorySwap: 0,
        CpuShares: 12,
        Cpuset: "",
        PortSpecs: null,
        Cmd: ["/bin/sh", "-c", '#(nop) CMD ["x"] && <y>'],
        Entrypoint: null,
        Env: ["A=é", "B=x"],
        ExposedPorts: { "80/tcp": {}, "443/tcp": {} },
        Volumes: { "/b": {}, "/a": {} },
        OnBuild: [],
        Labels: { z: "1", "10": "x", "9": "y" },
        NetworkDisabled: true,
        MacAddress: "",
      },
      config: { User: "u", Cmd: "run me", Entrypoint: ["/e"], Volumes: null, Labels: null },
    },
  },
];

/** Blanks, escapes, numbers and an order that no JSON library of JavaScript gives back. */
const ODD: readonly Schema1Step[] = [
  { json: { created: "2016-02-03T04:05:06+02:00" } },
  { isThrowaway: true, json: { created: "2016-02-03T04:05:06.000+00:00" } },
  {
    json:
      `{ "id" : "${schema1Id(2)}", "parent":"${schema1Id(1)}", "created":"2017-01-02T03:04:05.120000Z",\n` +
      ' "docker_version":"17.03.0-ce", "architecture":"amd64","os":"linux",' +
      '"zeta":[1.0, 1e3, 12345678901234567890, -0.10],' +
      '"config":{"b":1,"a":"\\u00e9\\/<&>","Labels":{"2":"x","1":"y"}}, "Size":77,"throwaway":false,' +
      '"parent_id":"x","layer_id":"y","aé":null,"Weird<":{}, "container_config":{"Cmd":["a  b","\\t<c>"]} }',
  },
];

describe("schema1Config()", () => {
  // skopeo 1.9.3, copy of the same manifests from dir: to dir: with --format v2s2.
  test.each([
    [
      "of Docker 1.6, in its longer form",
      OLD,
      [ONE, TWO],
      "03fefa790cb3b96e01640097f1df0643753f155429e24a4a1f27e1a09da97a3e",
    ],
    [
      "with odd blanks, escapes, numbers, times",
      ODD,
      [ONE, TWO],
      "2bfd6e4aa86a1976105a6869ceb71592e31366c5244b26112478ae742083062d",
    ],
    [
      "of Docker 1.10, as it is",
      [{ json: { docker_version: "1.10.0", os: "linux", config: { Cmd: null } } }],
      [ONE],
      "e2da849769c042b0d64ff83b5819ac8f3b7e4cb6e243faac166ad0773195865e",
    ],
    [
      "without any layer, of a release candidate",
      [{ isThrowaway: true, json: { docker_version: "1.8.3-rc1", os: "linux" } }],
      [],
      "abff312f4a938bb9f11c135b2ba40b182efa7196eaf005f3ec700d957a329434",
    ],
  ] as const)("schema1Config() gives an image %s, the ID that skopeo gives it", (_what, steps, diffIds, id) => {
    expect(sha256(configOf(steps, diffIds))).toBe(`sha256:${id}`);
  });

  test("schema1Config() keeps throwaway steps in the history, as empty layers, base first", () => {
    const config = JSON.parse(configOf(OLD, [ONE, TWO]).toString("utf8"));
    expect(config.history.map((step: { empty_layer?: boolean }) => step.empty_layer ?? false)).toEqual([
      false,
      true,
      false,
    ]);
    expect(config.rootfs).toEqual({ type: "layers", diff_ids: [ONE, TWO] });
    for (const field of ["id", "parent", "throwaway", "Size"]) expect(config).not.toHaveProperty(field);
  });

  test("schema1Config() takes Go's zero for a missing time, and refuses what is no time", () => {
    const config = JSON.parse(configOf([{ json: { created: null } }], [ONE]).toString("utf8"));
    expect(config.history).toEqual([{ created: "0001-01-01T00:00:00Z" }]);
    for (const created of ["yesterday", "2016-02-03", "2016-13-03T04:05:06Z", "2016-02-03T04:05:06"])
      expect(() => configOf([{ json: { created } }], [ONE])).toThrow(ArchiveError);
  });
});

describe("goJson()", () => {
  test("goJson() escapes what Go escapes, and keeps the order of a Map", () => {
    expect(goJson({ a: "<&>\u2028" })).toBe('{"a":"\\u003c\\u0026\\u003e\\u2028"}');
    expect(
      goJson(
        new Map([
          ["2", [null, true]],
          ["1", []],
        ]),
      ),
    ).toBe('{"2":[null,true],"1":[]}');
  });
});
