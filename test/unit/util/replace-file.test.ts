import { chmod, lchown, lstat, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { watchOperations } from "../../../src/util/operation-hook.ts";
import { replaceFile } from "../../../src/util/replace-file.ts";
import { temporaryFolder } from "../../support/images.ts";

afterEach(() => watchOperations(undefined));

describe("replaceFile()", () => {
  test("replaceFile() makes a file, as open as the umask says or as it is told", async () => {
    const folder = await temporaryFolder();
    await replaceFile(join(folder, "a"), "new");
    await replaceFile(join(folder, "b"), "new", 0o600);
    await writeFile(join(folder, "c"), "");
    expect(await readFile(join(folder, "a"), "utf8")).toBe("new");
    expect((await lstat(join(folder, "a"))).mode).toBe((await lstat(join(folder, "c"))).mode);
    expect((await lstat(join(folder, "b"))).mode & 0o777).toBe(0o600);
    expect((await readdir(folder)).sort()).toEqual(["a", "b", "c"]);
  });

  test("replaceFile() keeps the mode of what was there, unless it is told another", async () => {
    const path = join(await temporaryFolder(), "a");
    await writeFile(path, "old");
    await chmod(path, 0o604);
    await replaceFile(path, "new");
    expect((await lstat(path)).mode & 0o777).toBe(0o604);
    await replaceFile(path, "newer", 0o600);
    expect((await lstat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, "utf8")).toBe("newer");
  });

  test("replaceFile() changes what a symbolic link leads to, and leaves the link", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "file"), "old");
    await symlink("file", join(folder, "link"));
    await replaceFile(join(folder, "link"), "new");
    expect(await readFile(join(folder, "file"), "utf8")).toBe("new");
    expect(await readlink(join(folder, "link"))).toBe("file");
  });

  test("replaceFile() writes to a device, and does not replace it", async () => {
    await replaceFile("/dev/null", "new");
    expect((await lstat("/dev/null")).isCharacterDevice()).toBe(true);
    await expect(replaceFile("/dev/full", "new")).rejects.toMatchObject({ errno: "ENOSPC" });
  });

  test.each(["create", "write", "rename"])(
    "on a full disk, the message names the file, and no temporary one: %s",
    async kind => {
      const path = join(await temporaryFolder(), "hosts.toml");
      watchOperations(async (operation, run) => {
        if (operation.kind === kind) throw Object.assign(new Error("full"), { code: "ENOSPC", syscall: kind });
        return await run();
      });
      await expect(replaceFile(path, "new")).rejects.toMatchObject({
        message: `Cannot write "${path}": no space left, expected a writable file`,
        errno: "ENOSPC",
      });
      expect(await readdir(dirname(path))).toEqual([]);
    },
  );

  // Only root can make a link of another user.
  test.runIf(process.getuid?.() === 0)(
    "replaceFile() does not follow a link that another user has planted",
    async () => {
      const folder = await temporaryFolder();
      await writeFile(join(folder, "theirs"), "precious");
      await symlink("theirs", join(folder, "list"));
      await lchown(join(folder, "list"), 12_345, 12_345);
      await replaceFile(join(folder, "list"), "new");
      expect(await readFile(join(folder, "theirs"), "utf8")).toBe("precious");
      expect((await lstat(join(folder, "list"))).isFile()).toBe(true);
    },
  );

  test("replaceFile() leaves all of the old or all of the new, whichever operation fails, and nothing else", async () => {
    let fatal = 1;
    for (; ; fatal += 1) {
      const folder = await temporaryFolder();
      const path = join(folder, "a");
      await writeFile(path, "old");
      let count = 0;
      watchOperations(async (operation, run) => {
        count += 1;
        if (count === fatal) throw Object.assign(new Error("EIO"), { code: "EIO", syscall: operation.kind });
        return await run();
      });
      const isDone = await replaceFile(path, "new").then(
        () => true,
        () => false,
      );
      watchOperations(undefined);
      expect(await readdir(folder)).toEqual(["a"]);
      const text = await readFile(path, "utf8");
      if (isDone) expect(text).toBe("new");
      else expect(["old", "new"]).toContain(text);
      if (count < fatal) break;
    }
    // Create, write, sync, rename, sync of the folder.
    expect(fatal).toBe(6);
  });
});
