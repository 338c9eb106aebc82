import { open } from "node:fs/promises";

const UNSUPPORTED_CODES: ReadonlySet<string> = new Set(["EINVAL", "ENOTSUP", "ENOSYS"]);

/** Makes a rename or a new entry in `folder` survive a power cut, where the file system can. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder for writing; NTFS journals the rename itself.
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } catch (error) {
    // What was renamed has its name; not every file system can sync a folder.
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (!UNSUPPORTED_CODES.has(code)) throw error;
  } finally {
    await handle.close();
  }
}
