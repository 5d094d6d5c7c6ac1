import { expect, test } from 'vitest'
import { writeFunctions } from '../testing/functions.ts'
import { freshDirectory, startAgent, statusOf, until, wayside } from '../testing/wayside.ts'

test('an owner’s second machine joins by its own ticket, works for the first, and needs no audit', async () => {
  const first = await startAgent(['--accept', 'self'])
  const tell = (...args: string[]) => wayside([...args, '--data', first.data])
  const ownTicket = async (...args: string[]) => (await tell('invite', '--own', ...args)).stdout.trim()
  expect((await tell('invite', '--own', '--for', '2h')).stderr).toMatch(/E_USAGE: --for 2h: .* from 1s to 60m/)
  const ticket = await ownTicket()

  const careless = await wayside(['up', '--data', freshDirectory(), '--join', ticket])
  expect(careless).toMatchObject({ status: 2, stderr: expect.stringMatching(/E_USAGE: .*add --own if you are/) })
  const plain = first.status.ticket as string
  const wrong = await wayside(['up', '--own', '--data', freshDirectory(), '--join', plain])
  expect(wrong).toMatchObject({ status: 2, stderr: expect.stringMatching(/E_USAGE: .*wayside invite --own/) })

  const guest = await startAgent(['--join', plain])
  const second = await startAgent(['--own', '--join', ticket])
  await until(async () => (await statusOf(second.data)).neighbours.some(({ own, slots }) => own && slots > 0))
  const cwd = writeFunctions()
  await guest.stop()
  const called = ['run', 'hello.ts', '{"name":"Ada"}', '--remote', '--json', '--data', second.data]
  expect(JSON.parse((await wayside(called, { cwd })).stdout)).toMatchObject({
    ...{ executors: [first.status.peer], executions: 1, verify: 'audit' },
    verification: { by: 'own', independence: 'none', verifiers: 0 },
  })
  const third = await wayside(['up', '--own', '--data', freshDirectory(), '--join', ticket])
  expect(third).toMatchObject({ status: 4, stderr: expect.stringMatching(/E_NOT_ADMITTED: .*has let in 12D3/) })

  // A member that is there already becomes a machine of the owner, and stays one when its ticket is used up.
  const upgrade = ['--own', '--join', await ownTicket('--for', '5m')]
  const upgraded = await startAgent(upgrade, { data: guest.data })
  await upgraded.stop()
  await startAgent(upgrade, { data: guest.data })
  await until(async () => (await statusOf(first.data)).neighbours.filter(({ own }) => own).length === 2)
  expect((await tell('mesh')).stdout).toMatch(
    new RegExp(`yours +this machine and 2 others\\n[\\s\\S]*${guest.status.peer} +here now, let in by this machine`),
  )
  expect((await tell('peers')).stdout).toMatch(/yours[\s\S]*yours/)
})
