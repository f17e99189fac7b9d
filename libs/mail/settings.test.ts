import { readSettings } from '@placet/runtime';
import { describe, expect, test } from 'vitest';
import { mailSettings, smtpServerOf } from './settings.ts';

describe('a mail server', () => {
  test.each([
    [
      'smtp://mail.example.com',
      { host: 'mail.example.com', port: 587, isSecure: false, requiresTls: false, login: null },
    ],
    ['smtps://mail.example.com', { port: 465, isSecure: true }],
    ['smtp://[::1]:2525/', { host: '::1', port: 2525 }],
    ['smtp://u%40x:p%3Aw@mail.example.com', { login: { user: 'u@x', pass: 'p:w' }, requiresTls: true }],
    ['smtp://u:p@127.0.0.1:25', { requiresTls: false }],
    ['smtp://u:p@mail.example.com?requireTLS=false', { requiresTls: false }],
    ['smtp://mail.example.com?requireTLS=true&maxConnections=2', { requiresTls: true, connectionsMax: 2 }],
    ['smtp://mail.example.com?pool=false', { connectionsMax: 1 }],
    ['smtp://mail.example.com?tls.rejectUnauthorized=false', { checksCertificate: false }],
  ])('%s', (url, server) => {
    expect(smtpServerOf(url)).toMatchObject(server);
  });

  test.each([
    'mail.example.com',
    'http://mail.example.com',
    'smtp://',
    'smtp://user@mail.example.com',
    'smtp://:password@mail.example.com',
    'smtp://u:%zz@mail.example.com',
    'smtp://mail.example.com/path',
    'smtp://mail.example.com#x',
    'smtp://mail.example.com?maxConnections=0',
    'smtp://mail.example.com?maxConnections=21',
    'smtp://mail.example.com?requireTLS=maybe',
    'smtp://mail.example.com?proxy=http://evil.example',
  ])('%s is refused', (url) => {
    expect(smtpServerOf(url)).toBeNull();
  });

  test('a password is not shown where an address is refused', () => {
    const read = () => readSettings(mailSettings, { PLACET_SMTP_URL: 'smtp://u:geheim@' });
    expect(read).toThrow('PLACET_SMTP_URL: must be smtp://');
    expect(read).not.toThrow('geheim');
  });
});

describe('whom mails come from', () => {
  const read = (text: string) => readSettings(mailSettings, { PLACET_MAIL_FROM: text }).mailFrom;

  test.each([
    ['placet@example.com', { name: '', address: 'placet@example.com' }],
    ['Placet <placet@example.com>', { name: 'Placet', address: 'placet@example.com' }],
    ['"Placet, for you" <placet@example.com>', { name: 'Placet, for you', address: 'placet@example.com' }],
    ['<placet@example.com>', { name: '', address: 'placet@example.com' }],
  ])('%s', (text, from) => {
    expect(read(text)).toEqual(from);
  });

  test.each([
    'placet',
    'a@b@c',
    'Placet <placet@example.com>, <b@example.com>',
    'x\r\nBcc: <a@example.com>',
    'a@b.c\nBcc: d@e.f',
  ])('%j is refused', (text) => {
    expect(() => read(text)).toThrow('must be an address');
  });
});
