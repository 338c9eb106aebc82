import { expect, test } from "vitest";
import { isArchivePath } from "../../../../src/verbs/options/archive-path.ts";

test.each(["absent.tar", "absent.tar.zst", "absent.json", "absent.lock", "./absent", "-"])(
  "%s means a file, also if there is none: no registry is asked for it",
  async word => {
    expect(await isArchivePath(word)).toBe(true);
  },
);

test.each(["absent", "registry.lan/absent", "registry.lan/team/app:1.json5"])("%s means an image", async word => {
  expect(await isArchivePath(word)).toBe(false);
});
