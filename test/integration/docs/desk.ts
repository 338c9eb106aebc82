// The files that pages take for granted: lists, locks, archives, deltas, patches, volumes.
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fixture } from "../peers/goldens.ts";
import { run } from "../peers/run.ts";

const SCRIPT = `
cat > site.txt <<'END'
registry.lan:5000/team/app:1.3
registry.lan:5000/base:1.0
END
cat > images.txt <<'END'
registry.lan:5000/team/app:1.4
docker.io/library/nginx:1.27
END
cat > app.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: { name: web }
spec: { containers: [{ name: web, image: "registry.lan:5000/team/web:2.0" }] }
END
cp app.yaml chart.yaml
cat site.txt images.txt > next.txt
echo registry.lan:5000/app:1.0 >> next.txt
mkdir rootfs && echo hello > rootfs/hello && tar -czf rootfs.tar.gz -C rootfs .
gunzip -c hello.tar.gz > hello.tar
imgpack convert multi.tar app.tar --tag registry.lan:5000/team/app:1.4
imgpack lock -f site.txt -o site.lock
imgpack lock -f next.txt -o next.lock
imgpack pull -f site.lock -o site.tar
imgpack pull -f next.lock -o next.tar
imgpack pull -f next.lock --base site.lock -o delta.tar
imgpack pull -f site.lock -o site.tar --volume-size fat32
imgpack push delta.tar --to registry.lan:5000/empty --need need.json || imgpack pull -f need.json -o patch.tar
cp site.lock last.lock
cp site.tar old.tar
cp hello.tar one.tar
cp app.tar two.tar
cp old.tar base.tar
mkdir incoming && cp app.tar site.tar incoming/
cp site.tar other.tar
`;

/** @returns the folder. @throws {Error} if one of the commands fails */
export async function makeDesk(folder: string, env: Readonly<Record<string, string>>): Promise<string> {
  await mkdir(folder);
  await copyFile(fixture("hello.tar.gz"), join(folder, "hello.tar.gz"));
  await copyFile(fixture("multi-platform-oci.tar"), join(folder, "multi.tar"));
  const { code, stdout, stderr } = await run("bash", ["-e", "-c", SCRIPT], { cwd: folder, env });
  if (code !== 0) throw new Error(`the desk: exit code ${code}\n${stdout}${stderr}`);
  return folder;
}
