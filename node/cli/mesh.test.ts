import { expect, test } from 'vitest'
import type { MeshReport } from '../../peer/mesh-report.ts'
import { meshWords } from './mesh.ts'

const report: MeshReport = {
  ...{ id: 'bafy', name: 'attic\u001b[31m', admission: 'private', independence: 'peer', operator: 'OP' },
  self: { peer: 'ME', role: 'member', owner: 'ME', invited_by: 'BOB', until_ms: Date.UTC(2027, 0, 2), charges: 0 },
  members: [
    { peer: 'OP', owner: 'OP', own: false, invited_by: null, until_ms: null, seen_ms: 0, here: true, charges: 0 },
    {
      ...{ peer: 'KID', owner: 'ME', own: true, invited_by: 'ME' },
      ...{ until_ms: Date.UTC(2027, 1, 3), seen_ms: Date.UTC(2026, 10, 20), here: false, charges: 0 },
    },
    { peer: 'PAL', owner: 'OP', own: false, invited_by: 'OP', until_ms: 0, seen_ms: 0, here: true, charges: 1.98 },
  ],
  revoked: [{ peer: 'EVE', by: 'OP', revoked_ms: Date.UTC(2026, 10, 21) }],
}

test('which mesh, who one is in it, who else, and who was put out', () => {
  const lines = meshWords(report)
    .split('\n')
    .map((line) => line.trim().replace(/\s+/g, ' '))
  expect(lines).toEqual([
    'mesh "attic [31m", private: in it are the operator, those whom it invited, those whom they invited, and so on',
    'id bafy',
    'operator OP',
    'checks answers may be checked by any other peer',
    'you a member, invited by BOB, until 2027-01-02: you may invite, and revoke those whom you invited',
    'yours this machine and 1 other',
    'KID last here 2026-11-20, let in by this machine, until 2027-02-03',
    'members 2 others met',
    'OP (the operator) here now',
    'PAL here now, a machine of the operator, let in by the operator, until 1970-01-01, answers for 2.0 expelled',
    'revoked 1 peer',
    'EVE, by the operator on 2026-11-21',
    '',
  ])
})

test.each<[string, Partial<MeshReport>, RegExp]>([
  [
    'the operator',
    { self: { ...report.self, role: 'operator' } },
    /you +the operator: you may invite, and revoke anyone/,
  ],
  [
    'an operator whose guests lied',
    { self: { ...report.self, role: 'operator', charges: 0.5 } },
    /you +the operator: you may invite, and revoke anyone, answers for 0.5 expelled\n/,
  ],
  [
    'a public mesh',
    { admission: 'public', independence: 'operator' },
    /public: whoever can reach a member is one\n[\s\S]*other networks and operators only\n +you +a member, vouched for by BOB, until 2027-01-02: you vouch for whoever joins by an invitation of yours, and answer for it\n[\s\S]*PAL +here now, a machine of the operator, vouched for by the operator/,
  ],
  [
    'one who was put out',
    { self: { ...report.self, role: 'revoked' }, revoked: [{ peer: 'ME', by: 'BOB', revoked_ms: 0 }] },
    /you +put out by BOB\n/,
  ],
  [
    'one whose inviter was put out',
    { self: { ...report.self, role: 'revoked' } },
    /you +put out with the one who invited you\n/,
  ],
  [
    'one machine of several',
    { self: { ...report.self, owner: 'BOB' } },
    /you +one of several machines of yours, invited by BOB, until/,
  ],
  ['a fresh mesh', { members: [], revoked: [] }, /yours +this machine\n +members +none met yet\n +revoked +nobody\n$/],
])('%s', (_name, change, words) => {
  expect(meshWords({ ...report, ...change })).toMatch(words)
})
