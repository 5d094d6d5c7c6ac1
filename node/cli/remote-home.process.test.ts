/** Durable invocations of a machine whose agent does not run, at the agent of another, over TCP: either may be killed. */
import { expect, test } from 'vitest'
import { begin, freshDirectory, freshProject, startAgent, until, wayside } from '../testing/wayside.ts'

const CODE = `export default async function visit({ page, ms }, env) {
  const n = ((await env.DB.get(page)) ?? 0) + 1
  await new Promise((resolve) => setTimeout(resolve, ms))
  await env.DB.put(page, n)
  return { n }
}`
const cwd = freshProject({ DB: { state: 'visits' } }, { 'visit.js': CODE })
const visit = (ms: number) => ['run', 'visit.js', JSON.stringify({ page: 'front', ms }), '--durable']

/** Until its id is known; then its command is killed. */
const begun = async (args: readonly string[], env = {}): Promise<{ id: string; said: string }> => {
  const { child, ended } = begin(args, { cwd, env })
  let said = ''
  child.stderr?.on('data', (text: string) => {
    said += text
  })
  await until(() => /invocation \S+\n.*\n/.test(said))
  child.kill('SIGKILL')
  await ended
  return { id: /invocation (\S+)/.exec(said)?.[1] as string, said }
}

const standing = async (data: string) => JSON.parse((await wayside(['delegations', '--json', '--data', data])).stdout)

test('its command and its home are killed; the home goes on with it, and the caller, back again, hears how it ended', async () => {
  const home = await startAgent()
  const member = await startAgent(['--join', home.status.ticket as string])
  await member.stop()
  const { id, said } = await begun([...visit(3000), '--data', member.data])
  expect(said).toContain(`later: wayside wait ${id}\n`)
  await home.stop('SIGKILL')
  const again = await startAgent(['--listen', home.status.addresses[0] as string], { data: home.data })
  const waited = await wayside(['wait', id, '--json', '--data', member.data])
  expect(waited).toMatchObject({ status: 0 })
  expect(JSON.parse(waited.stdout)).toMatchObject({ id, value: { n: 1 } })
  const stranger = await wayside(['result', id.replace(/.{4}$/, 'aaaa'), '--data', member.data])
  expect(stranger).toMatchObject({ status: 2, stdout: '' })
  const { id: slow } = await begun([...visit(600_000), '--data', member.data])
  expect(await wayside(['delegations', 'revoke', slow, '--data', member.data])).toMatchObject({ status: 0 })
  expect(await wayside(['wait', slow, '--data', member.data])).toMatchObject({
    ...{ status: 4, stderr: expect.stringContaining('revoked') },
  })
  expect(await wayside(['ps', '--data', member.data])).toMatchObject({ status: 6 })
  expect(await wayside(['delegations', 'renew', slow, '--data', member.data])).toMatchObject({ status: 0 })
  const mine = { id: slow, namespaces: ['visits'], revoked: false, running: 1 }
  expect(await standing(member.data)).toMatchObject([{ ...mine, caller: null, home: again.status.peer }])
  expect(await standing(again.data)).toMatchObject([{ ...mine, caller: member.status.peer, home: null }])
  // Whose key ends with its command is told that nobody else will hear of it.
  const joined = { WAYSIDE_JOIN: again.status.ticket as string }
  expect((await begun([...visit(1), '--data', freshDirectory()], joined)).said).toContain(
    'the key that asked for it ends with this command',
  )
  await again.stop()
})
