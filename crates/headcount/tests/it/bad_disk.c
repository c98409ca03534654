/* A disk that goes bad on request, for a program that is started with this library in LD_PRELOAD.
 *
 * While the file $BAD_DISK/sync is there, syncs of the data file and its write-ahead log fail with EIO; while $BAD_DISK/write
 * is there, writes to them are cut in half and what is left fails with EIO. Other files are left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_bad(const char *how, int fd) {
    const char *folder = getenv("BAD_DISK");
    char path[PATH_MAX], link[64];
    if (folder == NULL) return 0;
    snprintf(path, sizeof path, "%s/%s", folder, how);
    if (access(path, F_OK) != 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, "/headcount.db") != NULL;
}

static size_t cut(size_t bytes) { return bytes > 64 ? bytes / 2 : 0; }

#define SYNC(name)                                                       \
    int name(int fd) {                                                   \
        if (is_bad("sync", fd)) { errno = EIO; return -1; }              \
        return ((int (*)(int))dlsym(RTLD_NEXT, #name))(fd);              \
    }

#define PWRITE(name, offset_type)                                                                    \
    ssize_t name(int fd, const void *from, size_t bytes, offset_type at) {                           \
        if (is_bad("write", fd) && (bytes = cut(bytes)) == 0) { errno = EIO; return -1; }            \
        return ((ssize_t (*)(int, const void *, size_t, offset_type))dlsym(RTLD_NEXT, #name))(fd, from, bytes, at); \
    }

SYNC(fsync)
SYNC(fdatasync)
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t write(int fd, const void *from, size_t bytes) {
    static ssize_t (*real)(int, const void *, size_t);
    if (real == NULL) real = dlsym(RTLD_NEXT, "write");
    if (fd > 2 && is_bad("write", fd) && (bytes = cut(bytes)) == 0) { errno = EIO; return -1; }
    return real(fd, from, bytes);
}
