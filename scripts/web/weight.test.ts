import { expect, test } from 'vitest'
import { WEIGHT_AIMS, weightOfWeb } from './weight.ts'

test('what a page loads stays within what is aimed at', async () => {
  const { loader_gz, agent_gz, engine_gz, image_gz } = await weightOfWeb()
  expect(loader_gz).toBeLessThanOrEqual(WEIGHT_AIMS.loader_gz)
  expect(agent_gz).toBeLessThanOrEqual(WEIGHT_AIMS.agent_gz)
  expect(image_gz).toBeLessThanOrEqual(WEIGHT_AIMS.image_gz)
  expect(engine_gz).toBeLessThanOrEqual(WEIGHT_AIMS.engine_gz)
})
