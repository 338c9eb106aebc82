import { access, chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findCredentials } from "../../src/registry/credentials/find-credentials.ts";
import { CANARIES } from "../support/canaries.ts";
import { temporaryFolder } from "../support/images.ts";

const CLOUDS = [
  "team.azurecr.io",
  "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
  "public.ecr.aws",
  "gcr.io",
  "europe-docker.pkg.dev",
];

describe("A-08 hosts that look like a cloud's (CVE-2026-105769, GHSA-5q7h-w9jf-cx97, GO-2026-6225)", () => {
  test.each(
    CLOUDS.flatMap(host => [
      [host, `${host}.evil.example`],
      [host, `evil-${host}`],
      [host, `evil.${host}`],
      [host, `${host}:5000`],
    ]),
  )("A-08 the helper of %s is not asked for %s", async (configured, host) => {
    const home = await temporaryFolder();
    await mkdir(join(home, ".docker"));
    const config = { credHelpers: { [configured]: "cloud" }, auths: { [configured]: { auth: "dTpw" } } };
    await writeFile(join(home, ".docker", "config.json"), JSON.stringify(config));
    const answer = JSON.stringify({ Username: "u", Secret: CANARIES.helper });
    await writeFile(join(home, "docker-credential-cloud"), `#!/bin/sh\n: > "${home}/asked"\necho '${answer}'\n`);
    await chmod(join(home, "docker-credential-cloud"), 0o755);
    const options = { home, env: { PATH: `${home}:/usr/bin:/bin`, XDG_RUNTIME_DIR: join(home, "run") } };
    await expect(findCredentials(host, options)).resolves.toBeUndefined();
    await expect(access(join(home, "asked"))).rejects.toThrow("ENOENT");
    await expect(findCredentials(configured, options)).resolves.toMatchObject({ password: CANARIES.helper });
  });

  test.each(CLOUDS)("A-08 no helper is guessed for %s", async host => {
    const home = await temporaryFolder();
    const options = { home, env: { PATH: home, XDG_RUNTIME_DIR: join(home, "run") } };
    await expect(findCredentials(host, options)).resolves.toBeUndefined();
  });
});
