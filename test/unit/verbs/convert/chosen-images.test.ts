import { describe, expect, test } from "vitest";
import type { Root } from "../../../../src/content/contracts.ts";
import { BadReferenceError, NotFoundError, UsageError } from "../../../../src/errors.ts";
import { convertedRoots } from "../../../../src/verbs/convert/chosen-images.ts";
import { addImage, memorySource, settledRoot } from "../../../support/memory-image.ts";

const source = memorySource();
const app = settledRoot(addImage(source, "app"), "docker.io/library/app:1", "docker.io/library/app:latest");
const other = settledRoot(addImage(source, "other"), "r.lan/other:2");
const nameless = settledRoot(addImage(source, "nameless"));
const all: readonly Root[] = [app, other, nameless];

describe("convertedRoots()", () => {
  test("convertedRoots() keeps all images under their own names", () => {
    expect(convertedRoots(all, {}, "a.tar")).toEqual(all);
  });

  test("convertedRoots() takes an image by a short name under that name alone, by digest under all", () => {
    expect(convertedRoots(all, { image: ["app", "r.lan/other:2"] }, "a.tar")).toEqual([
      { ...app, names: ["docker.io/library/app:latest"] },
      other,
    ]);
    const digest = app.kind === "settled" ? app.descriptor.digest : "";
    expect(convertedRoots(all, { image: [digest] }, "a.tar")).toEqual([app]);
  });

  test("convertedRoots() names the one image anew, in full, each name once", () => {
    const tags = ["new", "docker.io/library/new:latest", "r.lan/x:3"];
    expect(convertedRoots([nameless], { tag: tags }, "a.tar")).toEqual([
      { ...nameless, names: ["docker.io/library/new:latest", "r.lan/x:3"] },
    ]);
    expect(convertedRoots(all, { image: ["app:1"], tag: ["b:2"] }, "a.tar")).toEqual([
      { ...app, names: ["docker.io/library/b:2"] },
    ]);
  });

  test("convertedRoots() refuses a name for several images, an unknown image, a digest and no reference", () => {
    expect(() => convertedRoots(all, { tag: ["b"] }, "a.tar")).toThrow(UsageError);
    expect(() => convertedRoots(all, { image: ["none"] }, "a.tar")).toThrow(NotFoundError);
    const digest = `sha256:${"0".repeat(64)}`;
    expect(() => convertedRoots([app], { tag: [`b@${digest}`] }, "a.tar")).toThrow(UsageError);
    expect(() => convertedRoots([app], { tag: ["UPPER"] }, "a.tar")).toThrow(BadReferenceError);
  });
});
