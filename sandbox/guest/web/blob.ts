/** Files and forms. */
export { Blob, bytesOfBlob, File } from './file.ts'
export { FormData } from './form-data.ts'
export { readMultipart, writeMultipart } from './multipart.ts'
