import { isIPv6 } from "node:net";

const MAX_HOST = 253;
const MAX_LABEL = 63;

/** A registry in its accepted spelling, or what is wrong with it (completes "found …, expected …"). */
export type RegistryName =
  | { readonly name: string }
  | { readonly found: string; readonly expected: string; readonly hint?: string };

/**
 * Reads `host[:port]`: DNS labels, four decimal numbers, or `[IPv6]`. Refuses spellings that a URL parser turns into
 * another host: 0x7f.1, 2130706433, 0177.0.0.1, zone ids, a trailing dot, percent escapes.
 */
export function readRegistryName(text: string): RegistryName {
  if (text.includes("@")) {
    return {
      found: "user information",
      expected: "a host with or without a port",
      hint: 'Give user name and password to "imgpack login", or with --username.',
    };
  }
  const portAt = text.startsWith("[") ? text.indexOf("]") + 1 : indexOfOrEnd(text, ":");
  const host = text.slice(0, portAt).toLowerCase();
  const rest = text.slice(portAt);
  if (text.startsWith("[") && !isBracketedIPv6(host)) {
    return { found: "a bad IPv6 address", expected: "one like [2001:db8::1] without a zone" };
  }
  if (!text.startsWith("[")) {
    const fault = hostFault(host);
    if (fault !== undefined) return fault;
  }
  if (rest !== "" && !isPort(rest)) {
    return { found: "a bad port", expected: "a number from 1 to 65535 without leading zeros" };
  }
  return { name: host + rest };
}

function hostFault(host: string): RegistryName | undefined {
  if (host === "" || host.length > MAX_HOST) {
    return { found: `a registry host of ${host.length} characters`, expected: `1 to ${MAX_HOST}` };
  }
  const labels = host.split(".");
  if (!labels.every(isLabel)) {
    return {
      found: "a bad registry host",
      expected: "labels of letters, digits and inner hyphens, joined by dots",
      hint: "Write an international domain name in its ASCII spelling, which starts with xn--.",
    };
  }
  const last = labels.at(-1) ?? "";
  const numeric = isDecimal(last) || last.startsWith("0x");
  if (numeric && !(labels.length === 4 && labels.every(isOctet))) {
    return { found: "a bad IPv4 address", expected: "four decimal numbers from 0 to 255 without leading zeros" };
  }
  return undefined;
}

function isLabel(label: string): boolean {
  if (label === "" || label.length > MAX_LABEL || label.startsWith("-") || label.endsWith("-")) return false;
  return everyCharacter(label, "abcdefghijklmnopqrstuvwxyz0123456789-");
}

function isOctet(label: string): boolean {
  return isDecimal(label) && label.length <= 3 && !(label.length > 1 && label.startsWith("0")) && Number(label) <= 255;
}

function isPort(text: string): boolean {
  const digits = text.slice(1);
  if (text[0] !== ":" || !isDecimal(digits) || digits.length > 5 || digits.startsWith("0")) return false;
  return Number(digits) <= 65_535;
}

function isDecimal(text: string): boolean {
  return text !== "" && everyCharacter(text, "0123456789");
}

function isBracketedIPv6(text: string): boolean {
  const address = text.slice(1, -1);
  // The characters are checked first, because Node accepts zone ids.
  return text.length <= 47 && text.endsWith("]") && everyCharacter(address, "0123456789abcdef:.") && isIPv6(address);
}

function everyCharacter(text: string, allowed: string): boolean {
  for (const character of text) if (!allowed.includes(character)) return false;
  return true;
}

function indexOfOrEnd(text: string, character: string): number {
  const at = text.indexOf(character);
  return at === -1 ? text.length : at;
}
