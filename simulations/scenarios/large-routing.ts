import type { Scenario } from '../scenarios.ts'
import { findJobs } from './large-jobs.ts'

export const scenario: Scenario = {
  about:
    'level 2: jobs of 1 s arrive by chance at load 0.6, at servers, desktops, phones, routers and tabs that come and go; or those of a trace, all of them counted',
  peers: 1000,
  takesMatrix: true,
  takesTrace: true,
  run: async (setting) => findJobs(setting, { drawn: 'poisson', oneAsksOf: 8, churn: true }),
}
