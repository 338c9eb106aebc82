import { describe, expect, test } from "vitest";
import type { Root } from "../../../../src/content/contracts.ts";
import { NotFoundError, UsageError } from "../../../../src/errors.ts";
import { describeBytes } from "../../../../src/oci/descriptor.ts";
import { OCI_MANIFEST } from "../../../../src/oci/media-types.ts";
import { destinations } from "../../../../src/verbs/shared/destinations.ts";
import { type PushNameOptions, PushNames } from "../../../../src/verbs/shared/push-names.ts";

function image(...names: string[]): Root {
  return { kind: "settled", names, descriptor: describeBytes(OCI_MANIFEST, Buffer.from(`image ${names.join()}`)) };
}

/** `registry/repository:tag` of everything that would be pushed. */
function placesOf(roots: readonly Root[], options: PushNameOptions): readonly string[] {
  return destinations(roots, new PushNames(options), "the archive").found.flatMap(({ registry, repository, roots }) =>
    roots.flatMap(({ names }) => names.map(tag => `${registry}/${repository}:${tag}`)),
  );
}

const HELLO = image("docker.io/library/hello:1");
const QUAY = image("quay.io/team/app:2");

describe("destinations()", () => {
  test.each<[string, PushNameOptions, readonly string[]]>([
    ["--registry moves every name", { registry: "r.lan" }, ["r.lan/hello:1", "r.lan/team/app:2"]],
    [
      "IMGPACK_REGISTRY moves names without a registry",
      { registry: { defaultHost: "r.lan" } },
      ["r.lan/hello:1", "quay.io/team/app:2"],
    ],
    [
      "--to puts every name below a prefix",
      { to: "r.lan:5000/mirror/" },
      ["r.lan:5000/mirror/hello:1", "r.lan:5000/mirror/team/app:2"],
    ],
    ["--to may be a host alone", { to: "r.lan:5000" }, ["r.lan:5000/hello:1", "r.lan:5000/team/app:2"]],
  ])("%s", (_title, options, places) => {
    expect(placesOf([HELLO, QUAY], options)).toEqual(places);
  });

  test("never sends a name without a registry to Docker Hub", () => {
    expect(() => placesOf([HELLO], {})).toThrow(UsageError);
    expect(placesOf([HELLO], { tag: ["docker.io/me/hello:1"] })).toEqual(["docker.io/me/hello:1"]);
  });

  test("--tag names the one image, as often as wanted, with latest where no tag is given", () => {
    expect(placesOf([HELLO], { tag: ["y:3", "r.lan/x"], to: "s.lan/team" })).toEqual([
      "s.lan/team/y:3",
      "r.lan/x:latest",
    ]);
    expect(placesOf([HELLO], { tag: ["y"], to: "s.lan:5000", registry: "r.lan" })).toEqual(["s.lan:5000/y:latest"]);
    expect(placesOf([HELLO], { tag: ["r.lan/x", "r.lan/x:2", "y:3"], registry: "s.lan" })).toEqual([
      "r.lan/x:latest",
      "r.lan/x:2",
      "s.lan/y:3",
    ]);
  });

  test("--tag with several images wants --image, by name or digest", () => {
    const tag = ["r.lan/x:1"];
    expect(() => placesOf([HELLO, QUAY], { tag })).toThrow(
      /holds 2 images .*docker\.io\/library\/hello:1.*, expected one/,
    );
    expect(placesOf([HELLO, QUAY], { tag, image: ["hello:1"] })).toEqual(tag);
    const nameless = image();
    const id = nameless.kind === "settled" ? nameless.descriptor.digest : "";
    expect(placesOf([HELLO, nameless], { tag, image: [id] })).toEqual(tag);
    expect(() => placesOf([HELLO], { tag, image: ["hello:9"] })).toThrow(NotFoundError);
  });

  test("an image without a name wants --tag", () => {
    expect(() => placesOf([image()], { registry: "r.lan" })).toThrow(/it has no name/);
  });

  test("an image without a usable name does not stop the others", () => {
    const odd: Root = { ...image(), badNames: ["<none>:<none>"] };
    const { found, nameless } = destinations([odd, HELLO], new PushNames({ registry: "r.lan" }), "the archive");
    expect(found).toMatchObject([{ repository: "hello", roots: [{ names: ["1"] }] }]);
    expect(nameless.map(({ message }) => message)).toEqual([
      `Cannot push image ${odd.kind === "settled" ? odd.descriptor.digest : ""} from the archive: its name "<none>:<none>" is none that a registry takes, expected a name with a tag`,
    ]);
    const tag = ["r.lan/x:1"];
    expect(placesOf([odd, HELLO], { tag, image: ["<none>:<none>"] })).toEqual(tag);
  });

  test("a digest in the archive never implies a tag", () => {
    const { descriptor } = { descriptor: describeBytes(OCI_MANIFEST, Buffer.from("pinned")) };
    const name = `docker.io/foo/bar@${descriptor.digest}`;
    const pinned: Root = { kind: "settled", names: [name], descriptor };
    const options = new PushNames({ to: "r.lan/m", image: [`foo/bar@${descriptor.digest}`] });
    expect(destinations([HELLO, pinned], options, "the archive").found).toMatchObject([
      { registry: "r.lan", repository: "m/foo/bar", roots: [{ names: [], descriptor }] },
    ]);
    const other: Root = { ...image(), names: [name] };
    expect(() => placesOf([other], { to: "r.lan/m" })).toThrow(/names it only .*, and its manifest has another digest/);
  });

  test("two names in one repository are one destination, and a name that stands twice is one tag", () => {
    const both = image("docker.io/library/hello:1", "hello:1", "docker.io/library/hello:2");
    expect(destinations([both], new PushNames({ registry: "r.lan" }), "the archive").found).toMatchObject([
      { registry: "r.lan", repository: "hello", roots: [{ names: ["1", "2"] }] },
    ]);
  });
});
