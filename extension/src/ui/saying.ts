/**
 * How long something that was done stands on the screen, and saying what couldn't be.
 */
import { Notification } from '@jupyterlab/apputils';

/** Milliseconds to read a notification in; without it Lab keeps it in its bell, unseen. */
export const READING_TIME = 6000;

/** Say what went wrong, until it is read. */
export function sayFailure(error: unknown): void {
  Notification.error((error as Error).message, { autoClose: false });
}
