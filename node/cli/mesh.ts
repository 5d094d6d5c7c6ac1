/** `wayside mesh`: which mesh this is, who this machine is in it, who else, and who was put out. */
import type { MeshReport } from '../../peer/mesh-report.ts'
import { MeshError } from '../../protocol/errors.ts'
import { isPeerId } from '../../protocol/identity.ts'
import { plainText } from '../plain-text.ts'
import { shortId } from '../short-id.ts'
import { type OwnerFlags, withAgent } from './owner.ts'
import { paintOut, print, printJson } from './terminal.ts'
import { countOf } from './words.ts'

const row = (name: string, text: string) => `  ${paintOut('dim', name.padEnd(8))} ${text}\n`
const more = (text: string) => row('', text)

const dateWords = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

/** What is known of a peer besides its PeerId. */
const knownAs = (peer: string, { operator, self, members }: MeshReport): string[] => [
  ...(peer === operator ? ['the operator'] : []),
  ...(peer === self.peer ? ['this machine'] : []),
  ...(members.some((one) => one.peer === peer && one.own) ? ['yours'] : []),
]

/** Whole, for commands that ask for a PeerId. */
const peerWords = (peer: string, report: MeshReport): string => {
  const known = knownAs(peer, report)
  return known.length === 0 ? peer : `${peer} (${known.join(', ')})`
}

const operatorWords = ({ operator, ...report }: MeshReport): string => peerWords(operator, { ...report, operator: '' })

/** As short as it can be told from others. */
const shortWords = (peer: string, report: MeshReport): string => {
  if (peer === report.self.peer) return 'this machine'
  if (peer === report.operator) return 'the operator'
  return knownAs(peer, report).length === 0 ? shortId(peer) : `${shortId(peer)} (yours)`
}

const admissionWords = (admission: MeshReport['admission']): string =>
  admission === 'public'
    ? 'public: whoever can reach a member is one'
    : 'private: in it are the operator, those whom it invited, those whom they invited, and so on'

const independenceWords = (independence: MeshReport['independence']): string =>
  independence === 'peer'
    ? 'answers may be checked by any other peer'
    : 'answers are checked by peers of other networks and operators only'

/** One who lets liars in, or was expelled: to whom `revoke` may apply. */
const chargeWords = (charges: number): string[] => (charges > 0 ? [`answers for ${charges.toFixed(1)} expelled`] : [])

const membershipWords = (report: MeshReport): string => {
  const { role, invited_by, until_ms, owner, peer } = report.self
  if (role === 'operator') return 'the operator: you may invite, and revoke anyone'
  if (role === 'revoked') {
    const out = report.revoked.find(({ peer }) => peer === report.self.peer)
    return out ? `put out by ${shortWords(out.by, report)}` : 'put out with the one who invited you'
  }
  const isPublic = report.admission === 'public'
  const did = isPublic ? 'vouched for by' : 'invited by'
  const by = invited_by === null ? '' : `, ${did} ${shortWords(invited_by, report)}`
  const until = until_ms === null ? '' : `, until ${dateWords(until_ms)}`
  if (isPublic) return `a member${by}${until}: you vouch for whoever joins by an invitation of yours, and answer for it`
  const what = owner === peer ? 'a member' : 'one of several machines of yours'
  return `${what}${by}${until}: you may invite, and revoke those whom you invited`
}

const memberWords = (
  report: MeshReport,
  { peer, owner, own, invited_by, until_ms, seen_ms, here, charges }: MeshReport['members'][0],
): string => {
  const words = [
    here ? 'here now' : `last here ${dateWords(seen_ms)}`,
    // Of several machines of somebody else: whose they are.
    ...(owner === peer || own ? [] : [`a machine of ${shortWords(owner, report)}`]),
    ...(invited_by === null || invited_by === peer
      ? []
      : [`${report.admission === 'public' ? 'vouched for' : 'let in'} by ${shortWords(invited_by, report)}`]),
    ...(until_ms === null ? [] : [`until ${dateWords(until_ms)}`]),
    ...chargeWords(charges),
  ]
  return `${own ? peer : peerWords(peer, report)}  ${words.join(', ')}`
}

export const meshWords = (report: MeshReport): string => {
  const { members, revoked } = report
  const yours = members.filter(({ own }) => own)
  const others = members.filter(({ own }) => !own)
  return [
    row('mesh', `"${plainText(report.name)}", ${admissionWords(report.admission)}`),
    row('id', report.id),
    row('operator', operatorWords(report)),
    row('checks', independenceWords(report.independence)),
    row('you', [membershipWords(report), ...chargeWords(report.self.charges)].join(', ')),
    row('yours', yours.length === 0 ? 'this machine' : `this machine and ${countOf(yours.length, 'other')}`),
    ...yours.map((member) => more(`  ${memberWords(report, member)}`)),
    row('members', others.length === 0 ? 'none met yet' : `${countOf(others.length, 'other')} met`),
    ...others.map((member) => more(`  ${memberWords(report, member)}`)),
    row('revoked', revoked.length === 0 ? 'nobody' : countOf(revoked.length, 'peer')),
    ...revoked.map(({ peer, by, revoked_ms }) =>
      more(`  ${peerWords(peer, report)}, by ${shortWords(by, report)} on ${dateWords(revoked_ms)}`),
    ),
  ].join('')
}

export const mesh = async (flags: OwnerFlags): Promise<undefined> => {
  const { mesh } = await withAgent(flags, (client) => client.ask({ t: 'mesh' }, 'mesh'))
  const report = mesh as unknown as MeshReport
  await (flags.json ? printJson(report) : print(meshWords(report)))
}

export const revoke = async (peer: string, flags: OwnerFlags): Promise<undefined> => {
  if (!isPeerId(peer)) throw new MeshError('E_USAGE', `${peer} is no PeerId (12D3KooW…); \`wayside mesh\` lists them`)
  await withAgent(flags, (client) => client.ask({ t: 'revoke', peer }, 'done'))
  await (flags.json
    ? printJson({ revoked: peer })
    : print(
        `${peer} is put out, and whoever joined by its invitation; members in reach know it now, others when they come\n`,
      ))
}
