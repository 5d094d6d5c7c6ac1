/** `wayside verify`: who signed what, and whether running it again here gives the same. No agent and no network. */
import { verifyReceiptFile } from '../../peer/verify-file.ts'
import { ERRORS } from '../../protocol/errors.ts'
import { ofReceiptFile } from './receipt-input.ts'
import { print } from './terminal.ts'
import { isAllRight, verificationJson, verificationWords } from './verify-words.ts'

interface VerifyFlags {
  json?: boolean
}

/** Exit status: 0 if every receipt of the file is right, else 5. */
export const verify = async (file: string, { json }: VerifyFlags): Promise<number> => {
  const verification = await ofReceiptFile(file, verifyReceiptFile)
  if (json) for (const part of verificationJson(verification)) await print(part)
  else await print(verificationWords(verification))
  return isAllRight(verification) ? 0 : ERRORS.E_VERIFICATION_FAILED.exit
}
