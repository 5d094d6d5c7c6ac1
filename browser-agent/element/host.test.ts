import { expect, test } from 'vitest'
import { recordCid } from '../../protocol/cid.ts'
import { signTicket, ticketToText } from '../../protocol/mesh.ts'
import { crypto, testPeer } from '../../scripts/protocol/test-keys.ts'
import { hostOf } from './host.ts'

const inviter = testPeer(1)
const mesh = recordCid(crypto, new Uint8Array([1]))

const ticketOf = async (...addresses: string[]): Promise<string> => {
  const ticket = { v: 1, mesh, addresses, expires_ms: 1, inviter: inviter.id, own: false, chain: [] } as const
  return ticketToText(await signTicket(crypto, inviter.signer, { ...ticket, addresses, chain: [] }))
}

const SITE = 'https://site.example/page'
const TCP = '/ip4/192.0.2.1/tcp/4001'
const WS = '/ip4/127.0.0.1/tcp/4002/ws'
const NUMBER = '/ip6/2001:db8::a/tcp/4003/tls/ws'
const NAME = '/dns4/mesh.example/tcp/443/wss'

test.each([
  ['a name before a number', SITE, [TCP, WS, NUMBER, NAME], 'https://mesh.example:443'],
  ['a number, if there is no name', SITE, [TCP, WS, NUMBER], 'https://[2001:db8::a]:4003'],
  ['the agent on this machine, for a page that is', 'http://localhost:5173/', [NAME, WS], 'http://127.0.0.1:4002'],
  ['what is elsewhere, for a page on this machine', 'http://localhost:5173/', [TCP, NAME], 'https://mesh.example:443'],
])('of a ticket: %s', async (_, page, addresses, host) => {
  expect(hostOf(null, await ticketOf(...addresses), page)).toBe(host)
})

test.each([[[TCP]], [[WS]], [['/ip4/192.0.2.1/tcp/80/ws']]])(
  'a ticket with %j alone serves no page',
  async (addresses) => {
    const text = await ticketOf(...addresses)
    expect(() => hostOf(null, text, SITE)).toThrow('its ticket names no address with https; host="https://…" says')
  },
)

test('the attribute counts before the ticket', async () => {
  expect(hostOf('https://other.example/', await ticketOf(NAME), SITE)).toBe('https://other.example/')
  expect(hostOf('http://localhost:8080', '', SITE)).toBe('http://localhost:8080')
  for (const host of ['', 'mesh.example', 'http://mesh.example', 'http://localhost.example', 'javascript:alert(1)'])
    expect(() => hostOf(host, '', SITE), host).toThrow('host="…" must be where an agent serves pages')
})

test('what is no ticket is said to be none', () => {
  expect(() => hostOf(null, 'wayside1aaaa', SITE)).toThrow('this ticket cannot be read')
})
