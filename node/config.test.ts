import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { MIB } from '../protocol/limits.ts'
import { type Flags, type Machine, readConfig } from './config.ts'

const machine: Machine = { cores: 8, freeBytes: 8192 * MIB }
const PEER = '12D3KooWMiRP4Nt62Abccr2GW62pRaMJM3887HcYkRSJ9wxKb9K7'

const directory = (config?: string): string => {
  const data = mkdtempSync(join(tmpdir(), 'wayside-config-'))
  onTestFinished(() => rmSync(data, { recursive: true }))
  if (config !== undefined) writeFileSync(join(data, 'config.json'), config)
  return data
}

const read = (flags: Flags, env: NodeJS.ProcessEnv = {}, on: Machine = machine) =>
  readConfig({ data: directory(), ...flags }, env, on)

describe('defaults offend nobody', () => {
  test('half the cores, a quarter of the free memory, 1 GiB of disk, for the own mesh', () => {
    expect(read({})).toMatchObject({
      cpus: 4,
      memoryBytes: 2048 * MIB,
      taskMemoryBytes: 512 * MIB,
      diskBytes: 1024 * MIB,
      accept: ['mesh'],
      deny: [],
      quota: {
        items: 4096,
        fuelPerMinute: Number.POSITIVE_INFINITY,
        bytesPerMinute: Number.POSITIVE_INFINITY,
        queueShare: 0.5,
      },
      listen: ['/ip4/0.0.0.0/tcp/0'],
      join: [],
      logLevel: 'info',
    })
  })

  test('one core and room for one task on the smallest machine; no task gets over 2 GiB on the largest', () => {
    expect(read({}, {}, { cores: 1, freeBytes: 50 * MIB })).toMatchObject({ cpus: 1, taskMemoryBytes: 64 * MIB })
    expect(read({}, {}, { cores: 8, freeBytes: 600 * MIB })).toMatchObject({ cpus: 2, taskMemoryBytes: 75 * MIB })
    expect(read({ cpus: '1' }, {}, { cores: 2, freeBytes: 2 ** 36 })).toMatchObject({ taskMemoryBytes: 2048 * MIB })
  })
})

describe('precedence', () => {
  test('a flag before a variable before the file before the default', () => {
    const data = directory('{"cpus": 1, "memory": "1GiB", "disk": "32MiB", "accept": ["self"]}')
    const env = { WAYSIDE_CPUS: '2', WAYSIDE_MEMORY: '3GiB', WAYSIDE_JOIN: '/ip4/1.2.3.4/tcp/5, /ip4/1.2.3.4/tcp/6' }
    expect(readConfig({ data, cpus: '3' }, env, machine)).toMatchObject({
      cpus: 3,
      memoryBytes: 3072 * MIB,
      diskBytes: 32 * MIB,
      accept: ['self'],
      join: ['/ip4/1.2.3.4/tcp/5', '/ip4/1.2.3.4/tcp/6'],
    })
  })

  test('the file is that of --config, else of WAYSIDE_CONFIG, else that of the data directory', () => {
    const own = directory('{"cpus": 1}')
    const [flag, env] = [join(directory('{"cpus": 2}'), 'config.json'), join(directory('{"cpus": 3}'), 'config.json')]
    const cpus = (flags: Flags, variables: NodeJS.ProcessEnv) =>
      readConfig({ data: own, ...flags }, variables, machine).cpus
    expect(cpus({ config: flag }, { WAYSIDE_CONFIG: env })).toBe(2)
    expect(cpus({}, { WAYSIDE_CONFIG: env })).toBe(3)
    expect(cpus({}, {})).toBe(1)
    expect(() => cpus({ config: join(own, 'missing.json') }, {})).toThrow(/missing\.json: cannot be read/)
  })
})

describe('E_CONFIG names the key and where it stands', () => {
  test.each<[string, Flags, string]>([
    ['--cpus', { cpus: 'all' }, '--cpus: expected a whole number of cores, found "all"'],
    ['--cpus', { cpus: '1025' }, '--cpus: expected a whole number of cores from 0 to 1024, found 1025'],
    ['--memory', { memory: '2GB' }, '--memory: expected a SIZE such as "512MiB" or "2GiB", found "2GB"'],
    ['--memory', { memory: '8MiB' }, '--memory: expected at least 16MiB, found "8MiB"'],
    ['--disk', { disk: '1MiB' }, '--disk: expected at least 16MiB, found "1MiB"'],
    [
      '--accept',
      { accept: ['mesh', 'friends'] },
      '--accept: expected self, mesh, anyone or a PeerId (12D3KooW…), found "friends"',
    ],
    ['--deny', { deny: ['mesh'] }, '--deny: expected a PeerId (12D3KooW…), found "mesh"'],
    [
      '--listen',
      { listen: ['localhost:80'] },
      '--listen: expected a multiaddr such as /ip4/0.0.0.0/tcp/0, found "localhost:80"',
    ],
    [
      '--join',
      { join: ['example.org'] },
      '--join: expected a ticket (wayside1…) or a multiaddr (/ip4/…), found "example.org"',
    ],
    ['--timeout', { timeout: '48h' }, '--timeout: expected at most 24h, found "48h"'],
    ['--log-format', { log_format: 'xml' }, '--log-format: expected text or json, found "xml"'],
    [
      'cores and memory',
      { cpus: '8', memory: '64MiB' },
      '8 cores share 64MiB; a task needs 16MiB, so lend more --memory or fewer --cpus',
    ],
  ])('%s', (_, flags, message) => {
    expect(() => read(flags)).toThrow(expect.objectContaining({ code: 'E_CONFIG', message }))
  })

  test('of a variable', () => {
    expect(() => read({}, { WAYSIDE_MDNS: 'off' })).toThrow('WAYSIDE_MDNS: expected true or false, found "off"')
  })

  test('quotas of one invoker stand in the file or in variables', () => {
    const env = { WAYSIDE_QUOTA_QUEUE_SHARE: '0.25', WAYSIDE_QUOTA_FUEL_PER_MINUTE: '1000' }
    const data = directory('{"quota_items": 8, "quota_bytes_per_minute": "64MiB"}')
    const quota = { items: 8, fuelPerMinute: 1000, bytesPerMinute: 64 * MIB, queueShare: 0.25 }
    expect(readConfig({ data }, env, machine).quota).toEqual(quota)
    expect(() => read({}, { WAYSIDE_QUOTA_QUEUE_SHARE: '1.5' })).toThrow(
      'WAYSIDE_QUOTA_QUEUE_SHARE: expected at most 1',
    )
    expect(() => read({}, { WAYSIDE_QUOTA_ITEMS: '0' })).toThrow('expected a whole number of tasks from 1 to 4096')
  })

  test.each([
    ['{"cpu": 2}', /config\.json: cpu is no setting; did you mean cpus\?/],
    ['{"logLevel": "info"}', /logLevel is no setting; did you mean log_level\?/],
    ['{"zzzzzz": 2}', /zzzzzz is no setting; there are cpus, memory, /],
    ['{"memory": 512}', /config\.json: memory: expected a SIZE such as "512MiB", found 512/],
    ['{"accept": "mesh"}', /config\.json: accept: expected a list, found "mesh"/],
    ['[]', /config\.json: holds no object; write \{\}/],
    ['{"cpus": }', /config\.json: cannot be read as JSON/],
  ])('of the file: %s', (config, message) => {
    expect(() => readConfig({ data: directory(config) }, {}, machine)).toThrow(message)
  })
})

test('a phone needs https: of a listener that is there, of one that is added, or of a page of the owner’s', () => {
  const any = '/ip4/0.0.0.0/tcp/0'
  expect(read({ phone: true }).listen).toEqual([any, `${any}/tls/ws`, '/ip4/0.0.0.0/udp/0/webrtc-direct'])
  expect(read({ phone: true, listen: [`${any}/wss`] }).listen).toEqual([`${any}/wss`])
  const page = { phone: true, public_url: 'https://lend.example/' }
  expect(read(page)).toMatchObject({ listen: [any], publicUrl: 'https://lend.example/' })
  expect(read({ public_url: 'https://lend.example/' })).toMatchObject({ phone: false, listen: [any] })
  for (const wrong of ['http://lend.example/', 'lend.example', 'javascript:alert(1)'])
    expect(() => read({ public_url: wrong })).toThrow('expected the https URL of a page')
})

test('PeerIds are accepted by name', () => {
  expect(read({ accept: [PEER], deny: [PEER] })).toMatchObject({ accept: [PEER], deny: [PEER] })
})

describe('etcd', () => {
  test('its nodes are a list; without them the state is kept here', () => {
    expect(read({}).etcd).toBeUndefined()
    const env = { WAYSIDE_ETCD: 'http://10.0.0.1:2379,https://10.0.0.2:2379', WAYSIDE_ETCD_CA: '/etc/ca.pem' }
    expect(read({}, env).etcd).toEqual({
      endpoints: ['http://10.0.0.1:2379', 'https://10.0.0.2:2379'],
      prefix: 'wayside/',
      caFile: '/etc/ca.pem',
      certFile: undefined,
      keyFile: undefined,
      user: undefined,
      passwordFile: undefined,
    })
    const one = { etcd: ['http://10.0.0.1:2379'] }
    expect(read(one, { WAYSIDE_ETCD_PREFIX: 'shop/' }).etcd).toMatchObject({ prefix: 'shop/' })
  })

  test.each([
    [{ etcd: ['10.0.0.1:2379'] }, {}, /--etcd: expected the URL of a node/],
    [{ etcd: ['http://10.0.0.1:2379/v3'] }, {}, /--etcd: expected the URL of a node/],
    [{}, { WAYSIDE_ETCD_CA: 'x' }, /etcd_ca is set, and no etcd/],
    [{ etcd: ['http://h:1'] }, { WAYSIDE_ETCD_USER: 'shop' }, /etcd_user and etcd_password go together/],
    [{ etcd: ['https://h:1'] }, { WAYSIDE_ETCD_KEY: 'x' }, /etcd_cert and etcd_key go together/],
    [{ etcd: ['http://h:1'] }, { WAYSIDE_ETCD_PREFIX: 'a b' }, /WAYSIDE_ETCD_PREFIX: expected 1 to 64/],
  ])('%j %j is refused, and says why', (flags, env, message) => {
    expect(() => read(flags, env)).toThrow(message)
  })
})
