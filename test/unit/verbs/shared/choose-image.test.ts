import { describe, expect, test } from "vitest";
import type { Root } from "../../../../src/content/contracts.ts";
import { chooseImage } from "../../../../src/verbs/shared/choose-image.ts";

function roots(...names: readonly string[]): readonly Root[] {
  return names.map((name, index) => ({
    kind: "settled",
    names: [name],
    descriptor: {
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: `sha256:${String(index).padStart(64, "0")}`,
      size: 2,
    },
  }));
}

const MANY = roots(
  "r.lan/team/app:1.24",
  "r.lan/team/app:1.24.10",
  "r.lan/team/api:1.24.1",
  "r.lan/other:1",
  "docker.io/library/nginx:1",
);

describe("chooseImage() of a name that the archive does not have", () => {
  test.each([
    [
      "a tag",
      "r.lan/team/app:1.24.1",
      'Did you mean "r.lan/team/app:1.24.10", "r.lan/team/app:1.24" or "r.lan/team/api:1.24.1"?',
    ],
    ["a repository", "r.lan/team/aap:1.24", /^Did you mean "r\.lan\/team\/app:1\.24"/],
    ["a name of Docker Hub", "ngnix:1", 'Did you mean "docker.io/library/nginx:1"?'],
    ["nothing that is alike", "frobnicate:7", 'See what is in the archive with "imgpack inspect".'],
    ["a digest", `sha256:${"f".repeat(64)}`, 'See what is in the archive with "imgpack inspect".'],
  ])("names the nearest ones: %s", (_what, name, hint) => {
    expect(() => chooseImage(MANY, name, "push", 'archive "a.tar"')).toThrow(
      expect.objectContaining({
        code: "ERR_NOT_FOUND",
        message: `Cannot push "${name}" from archive "a.tar": no such image, expected one of 5 names`,
        hint: typeof hint === "string" ? hint : expect.stringMatching(hint),
      }),
    );
  });

  test("names all where there are few", () => {
    expect(() => chooseImage(roots("r.lan/a:1", "r.lan/b:1"), "x:1", "inspect", "a.tar")).toThrow(
      'Cannot inspect "x:1" from a.tar: no such image, expected r.lan/a:1 or r.lan/b:1',
    );
  });
});
