/** A mesh of real agents is upgraded to another release, one agent after the other, under load: nothing is lost. */
import { beforeAll, test } from 'vitest'
import { type AgentReleases, keepAgentReleases } from '../scripts/test/agent-releases.ts'
import { randomFor } from '../scripts/test/seed.ts'
import { upgradeAgents } from './testing/upgraded-mesh.ts'

let releases: AgentReleases

beforeAll(async () => {
  releases = await keepAgentReleases()
  return releases.remove
})

test.each([
  [2, 3],
  [5, 30],
])(
  '%i agents, %i calls between two: each ends right, each durable invocation once, on the engine on which it began',
  (count, more) => upgradeAgents(releases, randomFor(`upgrade ${count}`), { count, more }),
)
