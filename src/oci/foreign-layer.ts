import { escapeForeign } from "../util/format.ts";
import type { Descriptor } from "./descriptor.ts";

/** Hosts of the URLs that a layer names, each once; none for what is no URL. */
export function foreignLayerHosts({ urls = [] }: Pick<Descriptor, "urls">): readonly string[] {
  return [...new Set(urls.flatMap(url => (URL.canParse(url) ? new URL(url).host : [])))].filter(Boolean);
}

/** The end of a sentence about a layer that is not there; empty if no URL says where it is. */
export function publisherOf(layer: Pick<Descriptor, "urls">): string {
  const hosts = foreignLayerHosts(layer).map(host => escapeForeign(host));
  return hosts.length === 0 ? "" : `, its publisher has it at ${hosts.join(", ")}`;
}
