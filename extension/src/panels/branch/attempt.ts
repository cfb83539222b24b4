import { Notification } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';

/**
 * Do what was asked; if it fails, say so in the server's words and offer to try again.
 *
 * @param failed - What wasn't done: `Could not commit`.
 * @param again - What trying again means, if it isn't the same once more.
 * @returns Whether it was done.
 */
export async function attempt(
  trans: TranslationBundle,
  failed: string,
  act: () => Promise<void>,
  again?: () => unknown
): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    Notification.error(`${failed}: ${(error as Error).message}`, {
      autoClose: false,
      actions: [
        {
          label: trans.__('Try again'),
          callback: () => void (again ? again() : attempt(trans, failed, act))
        }
      ]
    });
    return false;
  }
}
