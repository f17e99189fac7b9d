import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Not on the public internet, or a way around (IANA special-purpose registries, RFC 6890). */
const notPublicIpv4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const;

/** Within 2000::/3. All of IPv6 outside it is refused: loopback, NAT64, unique local, mapped IPv4 and others. */
const notPublicIpv6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const;

const refusedIpv4 = new BlockList();
for (const [network, prefix] of notPublicIpv4) refusedIpv4.addSubnet(network, prefix, 'ipv4');
const refusedIpv6 = new BlockList();
for (const [network, prefix] of notPublicIpv6) refusedIpv6.addSubnet(network, prefix, 'ipv6');
const globalIpv6 = new BlockList();
globalIpv6.addSubnet('2000::', 3, 'ipv6');

export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !refusedIpv4.check(address, 'ipv4');
    case 6:
      return globalIpv6.check(address, 'ipv6') && !refusedIpv6.check(address, 'ipv6');
    default:
      return false;
  }
}

export class AddressRefused extends Error {
  readonly code = 'ADDRESS_REFUSED';
}

export type AddressGuard = {
  checkUrl(text: string): { ok: true; url: URL; lookup: LookupFunction } | { ok: false; reason: string };
};

/**
 * Keeps requests to addresses that somebody else chose off our own network. A request is safe only with
 * both: the URL from `checkUrl`, since Node looks no literal address up, and the `lookup` that comes with
 * it, since a name can resolve to anything. Who follows a redirect must check again.
 */
export function createAddressGuard(options: { allowedHosts: readonly string[] }): AddressGuard {
  const allowed = new Set(options.allowedHosts.map(normalHost));
  const isAllowed = (url: URL) => allowed.has(url.hostname) || allowed.has(`${url.hostname}:${portOf(url)}`);
  return {
    checkUrl(text) {
      const url = URL.parse(text);
      if (url === null) return refused('This is not a URL.');
      if (url.protocol !== 'https:' && url.protocol !== 'http:') {
        return refused(`Only https is possible, not "${url.protocol}".`);
      }
      if (url.username !== '' || url.password !== '')
        return refused('A URL must not hold a user or a password.');
      if (isAllowed(url)) return { ok: true, url, lookup: dnsLookup };
      if (url.protocol === 'http:') {
        return refused(`Only https is possible, unless "${url.host}" is an allowed host.`);
      }
      const literal = url.hostname.replace(/^\[(.*)\]$/, '$1');
      if (isIP(literal) !== 0 && !isPublicAddress(literal)) {
        return refused(`The address ${literal} is not public, and "${url.host}" is no allowed host.`);
      }
      return { ok: true, url, lookup: publicLookup };
    },
  };
}

/** One address that is not public is enough to refuse a name: nobody says which one would be used. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, '');
    const hidden = addresses.find(({ address }) => !isPublicAddress(address));
    if (hidden !== undefined) {
      return callback(
        new AddressRefused(`"${hostname}" resolves to ${hidden.address}, which is not public.`),
        '',
      );
    }
    if (options.all === true) return callback(null, addresses);
    const [first] = addresses as [LookupAddress];
    callback(null, first.address, first.family);
  });
};

function refused(reason: string): { ok: false; reason: string } {
  return { ok: false, reason };
}

function portOf(url: URL): string {
  if (url.port !== '') return url.port;
  return url.protocol === 'https:' ? '443' : '80';
}

function normalHost(entry: string): string {
  const { host, port } = /^(?<host>\[[^\]]+\]|[^:/@]+)(?::(?<port>\d{1,5}))?$/.exec(entry)?.groups ?? {};
  const hostname = URL.parse(`http://${host}`)?.hostname;
  if (host === undefined || !hostname) {
    throw new TypeError(`An allowed host is "host", "host:port" or "[ipv6]:port", not "${entry}".`);
  }
  return port === undefined ? hostname : `${hostname}:${Number(port)}`;
}
