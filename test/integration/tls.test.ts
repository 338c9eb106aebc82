import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { TestProxy } from "../support/test-proxy.ts";
import { fillImage } from "../support/v1/fill-v1.ts";
import { V1Registry } from "../support/v1/v1-registry.ts";
import { describeWith } from "./peers/describe-with.ts";
import { type DockerRegistry, registryAccount, startDockerRegistry } from "./peers/docker-registry.ts";
import { fixture } from "./peers/goldens.ts";
import { createImgpack, type Imgpack } from "./peers/imgpack.ts";
import { poll } from "./peers/poll.ts";
import { makePrivateCa, type PrivateCa } from "./peers/private-ca.ts";
import { type StartedProcess, startProcess } from "./peers/started-process.ts";
import { type Front, startFront } from "./peers/tls-front.ts";

const { username, password, htpasswd } = registryAccount;
const hello = fixture("docker20-hello.tar");
const login = ["--username", username, "--password-stdin"];
const input = `${password}\n`;

let imgpack: Imgpack;
let ca: PrivateCa;

async function prepare(): Promise<void> {
  imgpack = await createImgpack();
  ca = await makePrivateCa(imgpack.folder);
}

function tlsEnv(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { REGISTRY_HTTP_TLS_CERTIFICATE: ca.serverCert, REGISTRY_HTTP_TLS_KEY: ca.serverKey, ...more };
}

describeWith(["docker-registry", "openssl"], "imgpack with a registry of a private authority", () => {
  let registry: DockerRegistry;
  beforeAll(async () => {
    await prepare();
    registry = await startDockerRegistry({ htpasswd, env: tlsEnv() });
  });
  afterAll(async () => await Promise.all([registry?.close(), imgpack?.close()]));

  test("imgpack push and pull trust it with --ca-file", async () => {
    const flags = ["--ca-file", ca.ca, ...login];
    await imgpack.push([hello, "--registry", registry.host, ...flags], { input });
    const output = join(imgpack.folder, "ca.tar");
    await imgpack.pull([`${registry.host}/hello:latest`, "-o", output, ...flags], { input });
    expect(await imgpack.verify(output)).toMatchObject({ faults: [] });
  });

  test("imgpack push trusts it by its folder in certs.d", async () => {
    const config = join(imgpack.folder, "config");
    const folder = join(config, "containers", "certs.d", registry.host);
    await mkdir(folder, { recursive: true });
    await copyFile(ca.ca, join(folder, "peers.crt"));
    const options = { input, env: { XDG_CONFIG_HOME: config } };
    const pushed = await imgpack.push([hello, "--to", `${registry.host}/folder`, ...login], options);
    expect(pushed.images).toHaveLength(1);
  });

  test("imgpack push trusts it when the system does", async () => {
    // A name, as addresses of this machine are spoken to without TLS.
    const env = { SSL_CERT_FILE: ca.ca };
    const words = [hello, "--to", `${registry.host}/system`, ...login, "--plain-http=false"];
    await imgpack.push(words, { input, env });
  });

  test("imgpack push refuses it without, and names the way", async () => {
    const words = ["push", hello, "--registry", registry.host, ...login, "--plain-http=false"];
    const refused = await imgpack.run(words, { input });
    expect(refused).toMatchObject({ code: 7, stdout: "" });
    expect(refused.stderr).toContain("untrusted certificate, expected a certificate that this machine trusts");
    expect(refused.stderr).toContain("--ca-file");
    expect(refused.stderr).not.toContain(password);
  });

  test("imgpack push stops at NODE_TLS_REJECT_UNAUTHORIZED=0 without --insecure", async () => {
    const env = { NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    const words = ["push", hello, "--to", `${registry.host}/node`, ...login];
    const refused = await imgpack.run([...words, "--plain-http=false"], { input, env });
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain("NODE_TLS_REJECT_UNAUTHORIZED is 0");
    await expect(imgpack.run([...words, "--insecure"], { input, env })).resolves.toMatchObject({ code: 0 });
  });

  test("imgpack push and pull go through a proxy that wants a password, which stays there", async () => {
    const secret = "proxy-horse";
    const proxy = await TestProxy.start({ auth: `agent:${secret}` });
    try {
      // The proxy alone knows where this name lies; the certificate is for it.
      const host = `registry.test:${registry.host.split(":")[1] ?? ""}`;
      const env = { HTTPS_PROXY: `http://agent:${secret}@${proxy.host}`, NO_PROXY: "127.0.0.0/8,other.test" };
      const flags = ["--ca-file", ca.ca, ...login];
      await imgpack.push([hello, "--to", `${host}/proxied`, ...flags], { input, env });
      const output = join(imgpack.folder, "proxied.tar");
      await imgpack.pull([`${host}/proxied/hello:latest`, "-o", output, ...flags], { input, env });
      expect(await imgpack.verify(output)).toMatchObject({ faults: [] });
      expect(new Set(proxy.requests.map(({ line }) => line))).toEqual(new Set([`CONNECT ${host}`]));
      expect(registry.log()).not.toContain(secret);
      const wrong = { HTTPS_PROXY: `http://agent:${secret}x@${proxy.host}` };
      const refused = await imgpack.run(["pull", `${host}/proxied/hello:latest`, "-o", output, ...flags], {
        input,
        env: wrong,
      });
      expect(refused).toMatchObject({ code: 7, stdout: "" });
      expect(refused.stderr).toContain(`through proxy ${proxy.host}: status 407`);
      expect(refused.stderr).not.toContain(secret);
    } finally {
      await proxy.close();
    }
  });
});

describeWith(["docker-registry", "openssl"], "imgpack with a registry that wants a client certificate", () => {
  let registry: DockerRegistry;
  beforeAll(async () => {
    await prepare();
    // A certificate is asked for by a server in front: the registry itself is looked at without one to see it start.
    registry = await startDockerRegistry();
  });
  afterAll(async () => await Promise.all([registry?.close(), imgpack?.close()]));

  let front: Front;
  beforeEach(async () => {
    front = await startFront(registry.host, ca);
  });
  afterEach(async () => await front.close());

  test("imgpack push shows --cert-file, with --key-file or a locked key and its passphrase", async () => {
    const flags = ["--ca-file", ca.ca, "--cert-file", ca.clientCert];
    await imgpack.push([hello, "--to", `${front.host}/open`, ...flags, "--key-file", ca.clientKey]);
    const locked = [hello, "--to", `${front.host}/locked`, ...flags, "--key-file", ca.lockedKey];
    await imgpack.push(locked, { env: { IMGPACK_KEY_PASSPHRASE: ca.passphrase } });
    const wrong = await imgpack.run(["push", ...locked], { env: { IMGPACK_KEY_PASSPHRASE: "wrong-sesame" } });
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toContain("an encrypted key without its right passphrase");
    expect(wrong.stderr).not.toContain("wrong-sesame");
    expect(front.subjects()).toEqual(new Set(["client"]));
  });

  test("imgpack pull reads a v1 registry through TLS, with a client certificate, and through a proxy", async () => {
    const old = await V1Registry.start({ endpoints: [""], isReadOnly: true });
    fillImage(old.content, "team/app", "1.0");
    const proxy = await TestProxy.start();
    const secured = await startFront(old.host, ca);
    try {
      // The proxy alone knows where this name lies.
      const host = `registry.test:${secured.host.split(":")[1] ?? ""}`;
      const shown = ["--cert-file", ca.clientCert, "--key-file", ca.clientKey];
      const output = join(imgpack.folder, "v1.tar");
      const words = [`v1://${host}/team/app:1.0`, "-o", output, ...shown];
      const env = { HTTPS_PROXY: `http://${proxy.host}`, NO_PROXY: "127.0.0.0/8" };
      await imgpack.pull([...words, "--ca-file", ca.ca], { env });
      expect(await imgpack.verify(output)).toMatchObject({ faults: [] });
      expect(secured.subjects()).toEqual(new Set(["client"]));
      expect(new Set(proxy.requests.map(({ line }) => line))).toEqual(new Set([`CONNECT ${host}`]));
      expect(await imgpack.run(["pull", ...words], { env })).toMatchObject({ code: 7, stdout: "" });
    } finally {
      await secured.close();
      await proxy.close();
    }
  });

  test("imgpack pull shows the certificate of the registry's folder in certs.d", async () => {
    await imgpack.push([hello, "--registry", registry.host]);
    const config = join(imgpack.folder, "docker");
    const folder = join(config, "certs.d", front.host);
    await mkdir(folder, { recursive: true });
    await copyFile(ca.ca, join(folder, "ca.crt"));
    await copyFile(ca.clientCert, join(folder, "client.cert"));
    await copyFile(ca.clientKey, join(folder, "client.key"));
    const output = join(imgpack.folder, "client.tar");
    await imgpack.pull([`${front.host}/hello:latest`, "-o", output], { env: { DOCKER_CONFIG: config } });
    expect(await imgpack.verify(output)).toMatchObject({ faults: [] });
  });

  test("imgpack push without one says what is missing", async () => {
    const refused = await imgpack.run(["push", hello, "--to", `${front.host}/none`, "--ca-file", ca.ca]);
    expect(refused).toMatchObject({ code: 7, stdout: "" });
    expect(refused.stderr).toContain("no client certificate was shown");
  });
});

describeWith(["docker-registry", "openssl", "nginx"], "imgpack with a registry behind nginx", () => {
  let registry: DockerRegistry;
  let nginx: StartedProcess;
  let host: string;
  beforeAll(async () => {
    await prepare();
    registry = await startDockerRegistry({ htpasswd });
    host = `127.0.0.1:${20_000 + (process.pid % 20_000)}`;
    const file = join(imgpack.folder, "nginx.conf");
    await writeFile(file, nginxConfig(host, registry.host));
    nginx = startProcess("nginx", ["-p", imgpack.folder, "-c", file]);
    await poll(async () => (await imgpack.run(["exists", `${host}/x:1`, "--ca-file", ca.ca])).code !== 7 || undefined, {
      timeoutMs: 10_000,
      describe: () => nginx.log(),
    });
  });
  afterAll(async () => {
    await nginx?.stop();
    await Promise.all([registry?.close(), imgpack?.close()]);
  });

  test("imgpack push and pull keep to the outer scheme and port", async () => {
    const flags = ["--ca-file", ca.ca, ...login];
    await imgpack.push([hello, "--registry", host, ...flags], { input });
    const output = join(imgpack.folder, "nginx.tar");
    await imgpack.pull([`${host}/hello:latest`, "-o", output, ...flags], { input });
    expect(await imgpack.verify(output)).toMatchObject({ faults: [] });
  });

  /** Without X-Forwarded-Proto the registry names its inner scheme in Location, which is the hard case. */
  function nginxConfig(listen: string, upstream: string): string {
    return `daemon off; pid nginx.pid; error_log stderr; events {}
http { access_log off; client_max_body_size 0; client_body_temp_path body; proxy_temp_path proxy;
fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
server { listen ${listen} ssl; ssl_certificate ${ca.serverCert}; ssl_certificate_key ${ca.serverKey};
location / { proxy_pass http://${upstream}; proxy_set_header Host $http_host; proxy_request_buffering off; } } }
`;
  }
});
