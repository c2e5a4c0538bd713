/* Preloaded into a server: writes down, in their order, what it does to the files of one folder.
 *
 * A record is a line "OPERATION\tPATH\tNUMBER\tLENGTH\n", LENGTH bytes, and "\n". RECORD_ROOT is the folder,
 * RECORD_TO the file. NUMBER is an offset, a size, or 1 where a file was created; the bytes are what was written,
 * or the second path of a rename or a link.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define FILES 65536
static char *paths[FILES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *root;
static int trace = -1;

#define REAL(name) ({ static void *found; if (!found) found = dlsym(RTLD_NEXT, #name); (__typeof__(&name))found; })

__attribute__((constructor)) static void begin(void) {
    root = getenv("RECORD_ROOT");
    const char *to = getenv("RECORD_TO");
    if (root && to) trace = REAL(open)(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int watched(const char *path) { return trace >= 0 && path && strncmp(path, root, strlen(root)) == 0; }

static void put(const void *bytes, size_t left) {
    const char *at = bytes;
    while (left > 0) {
        ssize_t done = REAL(write)(trace, at, left);
        if (done < 0) abort();
        at += done;
        left -= (size_t)done;
    }
}

static void record(const char *operation, const char *path, long long number, const void *bytes, size_t length) {
    char line[8192];
    int size = snprintf(line, sizeof line, "%s\t%s\t%lld\t%zu\n", operation, path, number, length);
    put(line, (size_t)size);
    put(bytes, length);
    put("\n", 1);
}

static const char *path_of(int file) { return file >= 0 && file < FILES ? paths[file] : NULL; }

static int opened(int file, const char *path, int flags, int existed) {
    if (file < 0 || file >= FILES || !watched(path)) return file;
    free(paths[file]);
    paths[file] = strdup(path);
    if ((flags & O_CREAT) && !existed) record("create", path, 1, "", 0);
    if (flags & O_TRUNC) record("truncate", path, 0, "", 0);
    return file;
}

#define MODE(flags) mode_t mode = 0; if ((flags) & O_CREAT) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }
#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        MODE(flags) \
        if (!watched(path)) return REAL(name)(path, flags, mode); \
        pthread_mutex_lock(&lock); \
        struct stat status; int existed = stat(path, &status) == 0; \
        int file = opened(REAL(name)(path, flags, mode), path, flags, existed); \
        int kept = errno; pthread_mutex_unlock(&lock); errno = kept; \
        return file; \
    }
#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        MODE(flags) \
        if (!watched(path)) return REAL(name)(folder, path, flags, mode); \
        pthread_mutex_lock(&lock); \
        struct stat status; int existed = stat(path, &status) == 0; \
        int file = opened(REAL(name)(folder, path, flags, mode), path, flags, existed); \
        int kept = errno; pthread_mutex_unlock(&lock); errno = kept; \
        return file; \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int close(int file) {
    if (path_of(file)) {
        pthread_mutex_lock(&lock);
        free(paths[file]);
        paths[file] = NULL;
        pthread_mutex_unlock(&lock);
    }
    return REAL(close)(file);
}

ssize_t write(int file, const void *bytes, size_t size) {
    const char *path = path_of(file);
    if (!path) return REAL(write)(file, bytes, size);
    pthread_mutex_lock(&lock);
    off_t at = (fcntl(file, F_GETFL) & O_APPEND) ? lseek(file, 0, SEEK_END) : lseek(file, 0, SEEK_CUR);
    ssize_t done = REAL(write)(file, bytes, size);
    if (done > 0) record("write", path, at, bytes, (size_t)done);
    int kept = errno; pthread_mutex_unlock(&lock); errno = kept;
    return done;
}

#define PWRITE(name, offset_type) \
    ssize_t name(int file, const void *bytes, size_t size, offset_type at) { \
        const char *path = path_of(file); \
        if (!path) return REAL(name)(file, bytes, size, at); \
        pthread_mutex_lock(&lock); \
        ssize_t done = REAL(name)(file, bytes, size, at); \
        if (done > 0) record("write", path, at, bytes, (size_t)done); \
        int kept = errno; pthread_mutex_unlock(&lock); errno = kept; \
        return done; \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define ON_FILE(name, arguments, call, operation, number) \
    int name arguments { \
        const char *path = path_of(file); \
        if (!path) return REAL(name) call; \
        pthread_mutex_lock(&lock); \
        int done = REAL(name) call; \
        if (done == 0) record(operation, path, number, "", 0); \
        int kept = errno; pthread_mutex_unlock(&lock); errno = kept; \
        return done; \
    }
ON_FILE(fsync, (int file), (file), "sync", 0)
ON_FILE(fdatasync, (int file), (file), "sync", 0)
ON_FILE(ftruncate, (int file, off_t size), (file, size), "truncate", size)
ON_FILE(ftruncate64, (int file, off64_t size), (file, size), "truncate", size)

#define ON_PATH(name, arguments, call, operation, second) \
    int name arguments { \
        if (!watched(path)) return REAL(name) call; \
        pthread_mutex_lock(&lock); \
        int done = REAL(name) call; \
        if (done == 0) record(operation, path, 0, second, strlen(second)); \
        int kept = errno; pthread_mutex_unlock(&lock); errno = kept; \
        return done; \
    }
ON_PATH(unlink, (const char *path), (path), "unlink", "")
ON_PATH(rename, (const char *path, const char *to), (path, to), "rename", to)
ON_PATH(link, (const char *path, const char *to), (path, to), "link", to)
ON_PATH(linkat, (int from, const char *path, int at, const char *to, int flags), (from, path, at, to, flags), "link", to)
ON_PATH(mkdir, (const char *path, mode_t mode), (path, mode), "mkdir", "")
