import { toJsonSchema } from '@valibot/to-json-schema'
import { PROJECT_FILE, projectSchema } from './project-file.ts'

/** The text of `schema.json`, which editors read through `"$schema"`. */
export const projectJsonSchema = (): string => {
  const { $schema, ...rest } = toJsonSchema(projectSchema, { ignoreActions: ['check'] })
  return `${JSON.stringify({ $schema, title: PROJECT_FILE, ...rest }, null, 2)}\n`
}
