import { describe, expect, test } from "vitest";
import type { Root } from "../../../../src/content/contracts.ts";
import { BadReferenceError, NotFoundError, UsageError } from "../../../../src/errors.ts";
import { chosenImages } from "../../../../src/verbs/convert/chosen-images.ts";
import { addImage, memorySource, settledRoot } from "../../../support/memory-image.ts";

const source = memorySource();
const app = settledRoot(addImage(source, "app"), "docker.io/library/app:1", "docker.io/library/app:latest");
const other = settledRoot(addImage(source, "other"), "r.lan/other:2");
const nameless = settledRoot(addImage(source, "nameless"));
const all: readonly Root[] = [app, other, nameless];

describe("chosenImages()", () => {
  test("chosenImages() keeps all images under their own names", () => {
    expect(chosenImages(all, {}, "a.tar")).toEqual(all);
  });

  test("chosenImages() takes an image by a short name under that name alone, by digest under all", () => {
    expect(chosenImages(all, { image: ["app", "r.lan/other:2"] }, "a.tar")).toEqual([
      { ...app, names: ["docker.io/library/app:latest"] },
      other,
    ]);
    const digest = app.kind === "settled" ? app.descriptor.digest : "";
    expect(chosenImages(all, { image: [digest] }, "a.tar")).toEqual([app]);
  });

  test("chosenImages() names the one image anew, in full, each name once", () => {
    const tags = ["new", "docker.io/library/new:latest", "r.lan/x:3"];
    expect(chosenImages([nameless], { tag: tags }, "a.tar")).toEqual([
      { ...nameless, names: ["docker.io/library/new:latest", "r.lan/x:3"] },
    ]);
    expect(chosenImages(all, { image: ["app:1"], tag: ["b:2"] }, "a.tar")).toEqual([
      { ...app, names: ["docker.io/library/b:2"] },
    ]);
  });

  test("chosenImages() refuses a name for several images, an unknown image, a digest and no reference", () => {
    expect(() => chosenImages(all, { tag: ["b"] }, "a.tar")).toThrow(UsageError);
    expect(() => chosenImages(all, { image: ["none"] }, "a.tar")).toThrow(NotFoundError);
    const digest = `sha256:${"0".repeat(64)}`;
    expect(() => chosenImages([app], { tag: [`b@${digest}`] }, "a.tar")).toThrow(UsageError);
    expect(() => chosenImages([app], { tag: ["UPPER"] }, "a.tar")).toThrow(BadReferenceError);
  });
});
