import { statfs } from "../read-disk.ts";

/** File systems that one running system at a time uses (linux/magic.h, and those of ZFS and NTFS). */
const LOCAL_TYPES: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0xf2f52010, // F2FS
  0xca451a4e, // bcachefs
  0x2fc12fc1, // ZFS
  0x794c7630, // overlayfs
  0x01021994, // tmpfs
  0x858458f6, // ramfs
  0x4d44, // FAT
  0x2011bab0, // exFAT
  0x7366746e, // NTFS
]);

/** Whether no other machine can write to this file now; false if that is not known, as with FUSE. */
export async function isLocalDisk(path: string): Promise<boolean> {
  const found = await statfs(path).catch(() => undefined);
  return process.platform === "linux" && found !== undefined && LOCAL_TYPES.has(found.type >>> 0);
}
