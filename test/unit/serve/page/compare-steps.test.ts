import { describe, expect, test } from "vitest";
import type { ImageConfig } from "../../../../src/oci/image-config.ts";
import { align } from "../../../../src/serve/page/model/compare/align.ts";
import { compareConfigs } from "../../../../src/serve/page/model/compare/compare-configs.ts";
import { compareSteps } from "../../../../src/serve/page/model/compare/compare-steps.ts";
import type { Step } from "../../../../src/serve/page/model/image-details.ts";
import { fetchPage, MemoryServed, memorySite } from "./memory-served.ts";

/** `"RUN a =d1 10"`: instruction, digest and size of its layer. */
function step(text: string): Step {
  const [createdBy = "", digest, size] = text.split(/ (?:=|(?=\d+$))/);
  if (digest === undefined) return { createdBy, layer: undefined };
  const layer = { number: 1, digest: `sha256:${digest}` as const, size: Number(size), mediaType: "", uses: 1 };
  return { createdBy, layer: { ...layer, broken: undefined, isElsewhere: false, title: undefined } };
}

function compared(a: readonly string[], b: readonly string[]): readonly string[] {
  const text = (each: Step | undefined): string => each?.createdBy ?? "-";
  return compareSteps(a.map(step), b.map(step)).rows.map(row => `${row.change}: ${text(row.a)} | ${text(row.b)}`);
}

describe("two images, step by step", () => {
  test("have equal layers in one row, changed steps side by side, and the others alone", () => {
    const a = ["ADD root =1 100", "ENV A=1", "RUN npm ci =2 50", "COPY dist =3 5", "USER app", "RUN old =9 1"];
    const b = ["ADD root =1 100", "ENV A=1", "RUN npm ci =4 51", "COPY dist =3 5", "USER app", "HEALTHCHECK x"];
    expect(compared(a, b)).toEqual([
      "same: ADD root | ADD root",
      "same: ENV A=1 | ENV A=1",
      "changed: RUN npm ci | RUN npm ci",
      "same: COPY dist | COPY dist",
      "same: USER app | USER app",
      "gone: RUN old | -",
      "new: - | HEALTHCHECK x",
    ]);
    expect(compareSteps(a.map(step), b.map(step))).toMatchObject({
      bytes: { onlyA: 51, both: 105, onlyB: 51 },
      newLayers: 1,
      sameLayers: 2,
    });
  });

  test("count a layer once, however often an image has it", () => {
    const a = ["RUN x =1 10", "RUN y =1 10"].map(step);
    const b = ["RUN x =1 10", "RUN z =2 7", "RUN z =2 7"].map(step);
    expect(compareSteps(a, b)).toMatchObject({ bytes: { onlyA: 0, both: 10, onlyB: 7 }, newLayers: 1, sameLayers: 1 });
  });

  test("show an inserted step as new, and keep the rest in line", () => {
    expect(compared(["RUN a =1 1", "RUN c =3 1"], ["RUN a =1 1", "RUN b =2 1", "RUN c =3 1"])).toEqual([
      "same: RUN a | RUN a",
      "new: - | RUN b",
      "same: RUN c | RUN c",
    ]);
  });

  test("with thousands of steps each are compared at once", () => {
    const many = Array.from({ length: 20_000 }, (_, index) => index);
    const pairs = align(
      many,
      many.map(each => -each - 1),
      (left, right) => left === right,
    );
    expect(pairs).toHaveLength(40_000);
    expect(align(many, [...many, 7], (left, right) => left === right).at(-1)).toEqual({ a: undefined, b: 7 });
  });
});

describe("two configurations", () => {
  test("differ in what one of them has, or has in another form", () => {
    const config = (env: readonly string[], labels: Readonly<Record<string, string>>): ImageConfig => ({
      os: "linux",
      architecture: "amd64",
      diffIds: [],
      history: [],
      runtime: { user: "app", env, labels, entrypoint: ["a"], cmd: [], exposedPorts: [], volumes: [] },
    });
    const found = compareConfigs(
      config(["A=1", "B=x=y", "C"], { l: "1" }),
      config(["A=2", "B=x=y"], { l: "1", m: "" }),
    );
    expect(found).toEqual({
      differences: [
        { name: "ENV A", a: "1", b: "2" },
        { name: "ENV C", a: "", b: undefined },
        { name: "Label m", a: undefined, b: "" },
      ],
      same: 4,
    });
    expect(compareConfigs(undefined, undefined)).toEqual({ differences: [], same: 0 });
  });
});

test("a raw image and a compressed one are the same layers, compressed in another way", async () => {
  const registry = new MemoryServed();
  const config = { rootfs: { type: "layers", diff_ids: [`sha256:${"a".repeat(64)}`] } };
  registry.image("registry.example/app", "raw", { layers: [registry.layer("raw", 9000)], config });
  registry.image("registry.example/app", "gzip", { layers: [registry.layer("gzip", 4000)], config });
  const { text } = await fetchPage(
    memorySite(registry),
    "/compare?a=registry.example/app:raw&b=registry.example/app:gzip",
  );
  expect(text).toContain("The same layers, compressed in another way.");
  expect(text).not.toContain("layer is new");
});
