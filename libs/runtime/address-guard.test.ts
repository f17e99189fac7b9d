import { describe, expect, test } from 'vitest';
import { AddressRefused, createAddressGuard, isPublicAddress, publicLookup } from './address-guard.ts';

const guard = createAddressGuard({ allowedHosts: [] });

function reasonOf(url: string, allowedHosts: string[] = []): string {
  const verdict = createAddressGuard({ allowedHosts }).checkUrl(url);
  return verdict.ok ? 'ok' : verdict.reason;
}

describe('addresses that are not public', () => {
  test.each([
    ['unspecified', '0.0.0.0'],
    ['this network', '0.1.2.3'],
    ['private', '10.0.0.1'],
    ['private', '10.255.255.255'],
    ['carrier-grade NAT', '100.64.0.1'],
    ['carrier-grade NAT', '100.127.255.255'],
    ['loopback', '127.0.0.1'],
    ['loopback', '127.255.255.254'],
    ['link-local: the metadata of a cloud', '169.254.169.254'],
    ['private', '172.16.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.0.1'],
    ['benchmarks', '198.18.0.1'],
    ['documentation', '203.0.113.1'],
    ['multicast', '224.0.0.1'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['unspecified', '::'],
    ['loopback', '::1'],
    ['IPv4-compatible', '::127.0.0.1'],
    ['IPv4-mapped', '::ffff:127.0.0.1'],
    ['IPv4-mapped, in hexadecimal', '::ffff:7f00:1'],
    ['IPv4-mapped, even of a public address', '::ffff:8.8.8.8'],
    ['NAT64', '64:ff9b::7f00:1'],
    ['local NAT64', '64:ff9b:1::7f00:1'],
    ['discard', '100::1'],
    ['Teredo', '2001::1'],
    ['documentation', '2001:db8::1'],
    ['6to4', '2002:7f00:1::1'],
    ['unique local', 'fc00::1'],
    ['unique local', 'fdff::1'],
    ['link-local', 'fe80::1'],
    ['link-local, with a zone', 'fe80::1%eth0'],
    ['site-local', 'fec0::1'],
    ['multicast', 'ff02::1'],
    ['nonsense', 'localhost'],
    ['nothing', ''],
  ])('%s: %s', (_name, address) => {
    expect(isPublicAddress(address)).toBe(false);
    const literal = address.includes(':') ? `[${address}]` : address;
    if (address.includes('.') || address.includes(':')) {
      expect(guard.checkUrl(`https://${literal}/hook`).ok).toBe(false);
    }
  });

  test.each([
    '8.8.8.8',
    '1.1.1.1',
    '172.32.0.1',
    '100.128.0.1',
    '126.255.255.255',
    '2606:4700::1111',
    '2a00:1450::1',
  ])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true);
    expect(guard.checkUrl(`https://${address.includes(':') ? `[${address}]` : address}/`).ok).toBe(true);
  });
});

describe('URLs', () => {
  test.each([
    ['http://example.com/', /Only https/],
    ['ftp://example.com/', /Only https/],
    ['file:///etc/passwd', /Only https/],
    ['javascript:alert(1)', /Only https/],
    ['https://user@example.com/', /user or a password/],
    ['https://:secret@example.com/', /user or a password/],
    ['https://example.com@127.0.0.1/', /user or a password/],
    ['https://', /not a URL/],
    ['/hook', /not a URL/],
    ['', /not a URL/],
    ['https://[fe80::1%25eth0]/', /not a URL/],
  ])('%s is refused', (url, reason) => {
    expect(reasonOf(url)).toMatch(reason);
  });

  test('a reason does not repeat a password', () => {
    expect(reasonOf('https://user:hunter2@example.com/')).not.toContain('hunter2');
  });

  test('an ordinary one is taken', () => {
    expect(reasonOf('https://hooks.example.com:8443/a?b=c')).toBe('ok');
  });
});

describe('allowed hosts', () => {
  test.each([
    ['http://localhost:8080/', ['localhost']],
    ['http://localhost:8080/', ['localhost:8080']],
    ['http://LOCALHOST:8080/', ['LocalHost:8080']],
    ['http://127.0.0.1/', ['127.0.0.1:80']],
    ['https://127.0.0.1/', ['127.0.0.1:443']],
    ['http://[::1]:8080/', ['[::1]:8080']],
    ['http://[0:0::1]:8080/', ['[::1]']],
    ['http://2130706433/', ['127.0.0.1']],
  ])('%s is taken when %j are listed', (url, allowedHosts) => {
    expect(reasonOf(url, allowedHosts)).toBe('ok');
  });

  test.each([
    ['http://localhost:8081/', ['localhost:8080']],
    ['http://localhost/', ['localhost:8080']],
    ['https://127.0.0.2/', ['127.0.0.1']],
    ['http://localhost.example.com/', ['localhost']],
    ['http://sub.localhost/', ['localhost']],
    ['http://localhost./', ['localhost']],
    ['http://user:x@localhost/', ['localhost']],
    ['ftp://localhost/', ['localhost']],
  ])('%s is not taken when only %j are', (url, allowedHosts) => {
    expect(reasonOf(url, allowedHosts)).not.toBe('ok');
  });

  test.each(['', 'http://localhost', 'localhost:x', '::1', 'a b', 'localhost/path', '*', 'user@host'])(
    '%j is no host to list',
    (entry) => {
      if (entry === '*') return expect(reasonOf('https://127.0.0.1/', ['*'])).not.toBe('ok');
      expect(() => createAddressGuard({ allowedHosts: [entry] })).toThrow(/allowed host/);
    },
  );
});

describe('the look-up of a name', () => {
  const lookUp = (hostname: string, options: object) =>
    new Promise((resolve, reject) => {
      publicLookup(hostname, options, (error, address) => (error ? reject(error) : resolve(address)));
    });

  test.each([{}, { all: true }, { family: 4 }, { all: true, family: 4 }])(
    'a name that resolves to a private address is refused (%j)',
    async (options) => {
      await expect(lookUp('localhost', options)).rejects.toBeInstanceOf(AddressRefused);
    },
  );

  test('a public address comes back in the shape asked for', async () => {
    expect(await lookUp('8.8.8.8', {})).toBe('8.8.8.8');
    expect(await lookUp('8.8.8.8', { all: true })).toEqual([{ address: '8.8.8.8', family: 4 }]);
  });

  test('a name that resolves to nothing is the error of the look-up', async () => {
    await expect(lookUp('nothing.invalid', {})).rejects.toMatchObject({ syscall: 'getaddrinfo' });
  });
});
