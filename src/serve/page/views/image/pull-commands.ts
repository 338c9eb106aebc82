import { type Html, html, type Part } from "../../html/html.ts";
import type { ListedImage } from "../../model/catalogue.ts";
import { commandLine, referenceLine, section } from "../../parts/blocks.ts";
import { breakable } from "../../parts/foreign.ts";
import { isHelmChart } from "../platform-words.ts";

/** How this server is reached. */
export interface PullServer {
  readonly host: string;
  readonly isTls: boolean;
  /** Whether it asks for a login. */
  readonly isPrivate: boolean;
}

/** A line to copy, for one tool. */
export interface PullCommand {
  readonly tool: string;
  /** What to run before it, once, where the tool keeps logins. */
  readonly login?: string | undefined;
  readonly command: string;
  readonly note?: Part;
}

/** References and commands that pull this image from this server, whole. */
export function pullSection(image: ListedImage, server: PullServer): Html {
  const { tag } = image;
  const commands = pullCommands(image, server).map(
    ({ tool, login, command, note }) =>
      html`<div><dt>${tool}</dt><dd>${login !== undefined && commandLine(breakable(login))}${commandLine(breakable(command))}${note !== undefined && html`<p>${note}</p>`}</dd></div>`,
  );
  const reference = (name: string, text: string): Html =>
    html`<div><dt>${name}</dt><dd>${referenceLine(breakable(text))}</dd></div>`;
  const byTag = tag !== undefined && reference("for anything else, by tag", pullReference(image, server));
  const pinned = reference("for anything else, pinned", pinnedReference(image, server));
  const login =
    server.isPrivate &&
    html`<p class="note small">This server asks for a login. Put your user name in place of NAME, and your password in place of PASSWORD.</p>`;
  return section(
    "pull",
    "Pull",
    "one click selects a line",
    login,
    html`<dl class="cmds">${commands}${byTag}${pinned}</dl>`,
  );
}

/** `host:port/repository:tag`, or by digest if the image has no tag. */
export function pullReference({ repository, tag, digest }: ListedImage, { host }: Pick<PullServer, "host">): string {
  return `${host}/${repository}${tag === undefined ? `@${digest}` : `:${tag}`}`;
}

export function pinnedReference({ repository, digest }: ListedImage, { host }: Pick<PullServer, "host">): string {
  return `${host}/${repository}@${digest}`;
}

/** The commands of the page: tests run them with the real tools. */
export function pullCommands(image: ListedImage, server: PullServer): readonly PullCommand[] {
  return image.isArtifact ? artifactCommands(image, server) : imageCommands(image, server);
}

function imageCommands(image: ListedImage, server: PullServer): readonly PullCommand[] {
  const { host, isTls, isPrivate } = server;
  const reference = pullReference(image, server);
  const plainHttp = html`This server speaks plain HTTP: docker wants <span class="mono">${host}</span> under <span class="mono">insecure-registries</span>.`;
  const podmanFlag = isTls ? "" : "--tls-verify=false ";
  const ctrFlags = `${isTls ? "" : "--plain-http "}${isPrivate ? "--user NAME " : ""}`;
  return [
    {
      tool: "docker",
      login: isPrivate ? `docker login ${host}` : undefined,
      command: `docker pull ${reference}`,
      ...(isTls || isLocal(host) ? {} : { note: plainHttp }),
    },
    {
      tool: "podman",
      login: isPrivate ? `podman login ${podmanFlag}${host}` : undefined,
      command: `podman pull ${podmanFlag}${reference}`,
    },
    { tool: "containerd (ctr)", command: `ctr -n k8s.io images pull ${ctrFlags}${reference}` },
    {
      tool: "Kubernetes node (crictl)",
      command: `crictl pull ${isPrivate ? "--creds NAME:PASSWORD " : ""}${reference}`,
      note: html`crictl follows containerd&rsquo;s or CRI-O&rsquo;s own settings; <span class="mono">imgpack mirrors</span> writes them.`,
    },
  ];
}

function artifactCommands(image: ListedImage, server: PullServer): readonly PullCommand[] {
  const { host, isTls, isPrivate } = server;
  const { repository, tag } = image;
  const plain = isTls ? "" : "--plain-http ";
  const login = (tool: string): string | undefined => (isPrivate ? `${tool} login ${plain}${host}` : undefined);
  const oras = { tool: "oras", login: login("oras"), command: `oras pull ${plain}${pullReference(image, server)}` };
  // Helm writes "+" of a version as "_" in its tag.
  const version = tag?.replaceAll("_", "+");
  if (!isHelmChart(image) || version === undefined) return [oras];
  const helm = `helm pull ${plain}oci://${host}/${repository} --version ${version}`;
  return [{ tool: "helm", login: login("helm registry"), command: helm }, oras];
}

/** Docker takes plain HTTP from loopback addresses without a setting. */
function isLocal(host: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/.test(host);
}
