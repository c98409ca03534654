/* Names that nobody answers, for a program that is started with this library in LD_PRELOAD: each look-up takes a minute, and
 * makes the file $SLOW_NAMES to show that it has begun.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    const char *begun = getenv("SLOW_NAMES");
    (void)name, (void)service, (void)hints, (void)found;
    if (begun != NULL) close(open(begun, O_CREAT | O_WRONLY, 0600));
    sleep(60);
    return EAI_AGAIN;
}
