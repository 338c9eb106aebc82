// @ts-check
import { chmod, readdir, readFile, readlink, symlink } from "node:fs/promises";
import { join, relative } from "node:path";
import { copy, ensureDir, outputFile } from "fs-extra/esm";

/** A user without rights, with the number that images without a distribution have by custom. */
export const USER = 65532;

/** Of the packages: what the executable links to, what libc opens when a thread ends, and what scanners and people ask for. */
const KEPT = [
  /^(usr\/)?lib(64|\/[\w-]+)?\/ld-linux-[\w-]+\.so\.\d$/,
  /^(usr\/)?lib\/[\w-]+\/(libc|libdl|libm|libpthread|libgcc_s)\.so\.\d$/,
  // Links, where all of /lib is in /usr/lib.
  /^lib(64)?$/,
  /^(etc|usr\/lib)\/os-release$/,
  /^usr\/share\/(common-licenses|doc\/[\w-]+)\/(copyright|[A-Z][\w.-]*)$/,
];

const WRITTEN = {
  "etc/passwd": `root:x:0:0:root:/root:/sbin/nologin\nimgpack:x:${USER}:${USER}:imgpack:/home/imgpack:/sbin/nologin\n`,
  "etc/group": `root:x:0:\nimgpack:x:${USER}:\n`,
  // Without it, libc does not look at /etc/hosts.
  "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
};

/**
 * Lays out the root filesystem of a platform.
 *
 * @param {string} root new folder
 * @param {string} executable file
 * @param {string} licences file: those of all that is in the executable
 * @param {readonly import("./debian-packages.mjs").DebianPackage[]} packages
 */
export async function layOutRoot(root, executable, licences, packages) {
  const at = (/** @type {string} */ name) => join(root, name);
  for (const [name, text] of Object.entries(WRITTEN)) await outputFile(at(name), text);
  await copy(executable, at("usr/bin/imgpack"));
  await copy(licences, at("usr/share/doc/imgpack/copyright"));
  for (const { name, files, control } of packages) {
    await copyKept(files, root);
    // Where scanners look for packages in an image without dpkg.
    await outputFile(at(`var/lib/dpkg/status.d/${name}`), control);
    const certificates = await allCertificates(join(files, "usr/share/ca-certificates/mozilla"));
    if (certificates !== "") await outputFile(at("etc/ssl/certs/ca-certificates.crt"), certificates);
  }
  // A container may be started as any user.
  for (const name of ["home/imgpack", "tmp", "work"]) await ensureDir(at(name));
  await setModes(root);
  for (const name of ["tmp", "work"]) await chmod(at(name), 0o1777);
}

/**
 * @param {string} files
 * @param {string} root
 */
async function copyKept(files, root) {
  for (const entry of await readdir(files, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(files, path);
    if (entry.isDirectory() || !KEPT.some(pattern => pattern.test(name))) continue;
    await ensureDir(join(root, name, ".."));
    if (entry.isSymbolicLink()) await symlink(await readlink(path), join(root, name));
    else await copy(path, join(root, name));
  }
}

/**
 * One file of all, as update-ca-certificates writes it.
 *
 * @param {string} folder
 */
async function allCertificates(folder) {
  const names = (await readdir(folder).catch(() => [])).sort();
  return (await Promise.all(names.map(async name => await readFile(join(folder, name), "utf8")))).join("");
}

/**
 * The umask of whoever builds must not be in the image.
 *
 * @param {string} root
 */
async function setModes(root) {
  await chmod(root, 0o755);
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const isProgram = relative(root, path) === "usr/bin/imgpack" || /\/ld-linux[^/]*$|\/libc\.so/.test(path);
    await chmod(path, entry.isDirectory() || isProgram ? 0o755 : 0o644);
  }
}
