import { describe, expect, it } from 'vitest';
import { connectionFault, diskFault, isUntrusted, retryAfterMs, statusFault } from './hub-fault.ts';

const error = (code: string, message = code): Error => Object.assign(new Error(message), { code });
const status = (code: number, headers: Record<string, string> = {}, hasToken = false) =>
  statusFault(code, (name) => headers[name] ?? null, 'owner/model', hasToken, 0);

describe('what the hub says', () => {
  it.each([
    [401, {}, false, 'private', 'never'],
    [401, {}, true, 'token-refused', 'never'],
    [401, { 'x-error-code': 'GatedRepo' }, false, 'gated', 'never'],
    [403, { 'x-error-code': 'GatedRepo' }, true, 'gated', 'never'],
    [401, { 'x-error-code': 'RepoNotFound' }, false, 'private', 'never'],
    [404, { 'x-error-code': 'RepoNotFound' }, true, 'not-found', 'never'],
    [404, { 'x-error-code': 'RevisionNotFound' }, false, 'revision-gone', 'never'],
    [404, { 'x-error-code': 'EntryNotFound' }, false, 'not-found', 'never'],
    [403, {}, true, 'forbidden', 'never'],
    [451, {}, false, 'forbidden', 'never'],
    [407, {}, false, 'proxy', 'never'],
    [429, {}, false, 'hub-busy', 'later'],
    [500, {}, false, 'hub-down', 'later'],
    [503, {}, false, 'hub-down', 'later'],
    [408, {}, false, 'hub-down', 'later'],
    [418, {}, false, 'hub-answer', 'later'],
  ] as const)('%i %j, token %s: %s', (code, headers, hasToken, cause, again) => {
    const fault = status(code, headers, hasToken);
    expect([fault.reason.code, fault.again]).toEqual([cause, again]);
    expect(fault.reason.message).toMatch(/^[A-Z].*\.$/);
    expect(fault.reason.nextStep).toMatch(/^[A-Z].*\.$/);
  });

  it('how long to wait: seconds, or a date', () => {
    expect(status(429, { 'retry-after': '7' }).retryAfterMs).toBe(7_000);
    expect(retryAfterMs('Thu, 01 Jan 1970 00:00:30 GMT', 10_000)).toBe(20_000);
    expect(retryAfterMs('Thu, 01 Jan 1970 00:00:01 GMT', 10_000)).toBe(0);
    expect(retryAfterMs('99999999', 0)).toBe(900_000);
    expect(retryAfterMs('soon', 0)).toBeNull();
    expect(retryAfterMs(null, 0)).toBeNull();
  });
});

describe('what the network says', () => {
  it.each([
    ['ENOTFOUND', 'offline'],
    ['EAI_AGAIN', 'offline'],
    ['ECONNREFUSED', 'offline'],
    ['ENETUNREACH', 'offline'],
    ['ECONNRESET', 'connection-lost'],
    ['ETIMEDOUT', 'connection-lost'],
    ['EPIPE', 'connection-lost'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'tls'],
    ['CERT_HAS_EXPIRED', 'tls'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
    ['EPROTO', 'tls'],
    ['ERR_PROXY_TUNNEL', 'proxy'],
  ])('%s: %s, and passes', (code, cause) => {
    const fault = connectionFault(error(code), 'huggingface.co');
    expect([fault.reason.code, fault.again]).toEqual([cause, 'later']);
    expect(fault.reason.message).toContain('huggingface.co');
  });

  it('a cause inside a cause is found', () => {
    expect(isUntrusted(new Error('fetch failed', { cause: error('CERT_HAS_EXPIRED') }))).toBe(true);
  });
});

describe('what the disk says', () => {
  it.each([
    ['ENOSPC', true, 'disk-full'],
    ['EDQUOT', true, 'disk-full'],
    ['EPERM', true, 'access-denied'],
    ['EACCES', true, 'access-denied'],
    ['EPERM', false, 'access-denied'],
    ['EROFS', true, 'read-only'],
    ['EFBIG', true, 'disk-format'],
    ['EIO', true, 'disk-error'],
  ])('%s: %s', (code, isMac, cause) => {
    const fault = diskFault(error(code), '/cache', isMac);
    expect([fault.reason.code, fault.again]).toEqual([cause, 'never']);
  });

  it('where macOS refuses, it says where to allow it', () => {
    expect(diskFault(error('EPERM'), '/cache', true).reason.nextStep).toContain('Privacy & Security');
    expect(diskFault(error('EACCES'), '/cache', true).reason.nextStep).not.toContain('Privacy');
  });
});
