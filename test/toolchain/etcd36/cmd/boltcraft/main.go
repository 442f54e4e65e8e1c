// boltcraft writes etcd databases with bbolt itself, in shapes that an etcd on this machine does not write.
//
//	boltcraft copy [--page-size N] [--freelist] IN OUT     copies every bucket; --freelist stores the free list
//	boltcraft put --bucket B --hex-key K --hex-value V IN OUT
//
// OUT is a snapshot: it ends in the SHA-256 trailer. IN may be one too.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"log"
	"os"

	bolt "go.etcd.io/bbolt"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("boltcraft: ")
	if len(os.Args) < 2 {
		log.Fatal("copy or put?")
	}
	commands := map[string]func([]string) error{"copy": runCopy, "put": runPut}
	run, known := commands[os.Args[1]]
	if !known {
		log.Fatalf("no command %q", os.Args[1])
	}
	if err := run(os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}

func runCopy(args []string) error {
	flags := flag.NewFlagSet("copy", flag.ExitOnError)
	pageSize := flags.Int("page-size", 0, "of the copy; 0: as this machine has it")
	freelist := flags.Bool("freelist", false, "store the free list, which etcd does not")
	_ = flags.Parse(args)
	if flags.NArg() != 2 {
		return fmt.Errorf("copy wants IN and OUT, got %q", flags.Args())
	}
	in, err := bolt.Open(flags.Arg(0), 0o400, &bolt.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer in.Close()
	options := &bolt.Options{PageSize: *pageSize, NoFreelistSync: !*freelist, FreelistType: bolt.FreelistMapType}
	return writeSnapshot(flags.Arg(1), options, func(out *bolt.DB) error {
		return in.View(func(from *bolt.Tx) error {
			return from.ForEach(func(name []byte, bucket *bolt.Bucket) error { return copyBucket(out, name, bucket) })
		})
	})
}

// copyBucket commits often, as etcd does, so that the copy has free pages.
func copyBucket(out *bolt.DB, name []byte, from *bolt.Bucket) error {
	const entriesPerCommit = 500
	tx, err := out.Begin(true)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err = tx.CreateBucketIfNotExists(name); err != nil {
		return err
	}
	written := 0
	cursor := from.Cursor()
	for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
		bucket := tx.Bucket(name)
		bucket.FillPercent = 0.9
		if err = bucket.Put(key, value); err != nil {
			return err
		}
		if written++; written%entriesPerCommit != 0 {
			continue
		}
		if err = tx.Commit(); err != nil {
			return err
		}
		if tx, err = out.Begin(true); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func runPut(args []string) error {
	flags := flag.NewFlagSet("put", flag.ExitOnError)
	bucket := flags.String("bucket", "key", "made if there is none")
	hexKey := flags.String("hex-key", "", "")
	hexValue := flags.String("hex-value", "", "")
	_ = flags.Parse(args)
	if flags.NArg() != 2 {
		return fmt.Errorf("put wants IN and OUT, got %q", flags.Args())
	}
	key, err := hex.DecodeString(*hexKey)
	if err != nil {
		return err
	}
	value, err := hex.DecodeString(*hexValue)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(flags.Arg(0))
	if err != nil {
		return err
	}
	if err = os.WriteFile(flags.Arg(1), content[:len(content)-len(content)%512], 0o600); err != nil {
		return err
	}
	return writeSnapshot(flags.Arg(1), &bolt.Options{NoFreelistSync: true}, func(out *bolt.DB) error {
		return out.Update(func(tx *bolt.Tx) error {
			there, err := tx.CreateBucketIfNotExists([]byte(*bucket))
			if err != nil {
				return err
			}
			return there.Put(key, value)
		})
	})
}

// writeSnapshot opens or makes the database, lets fill write to it, and turns the file into a snapshot as etcd streams it.
func writeSnapshot(path string, options *bolt.Options, fill func(*bolt.DB) error) error {
	db, err := bolt.Open(path, 0o600, options)
	if err != nil {
		return err
	}
	if err = fill(db); err != nil {
		_ = db.Close()
		return err
	}
	streamed := path + ".streamed"
	err = db.View(func(tx *bolt.Tx) error { return tx.CopyFile(streamed, 0o600) })
	if err != nil {
		_ = db.Close()
		return err
	}
	if err = db.Close(); err != nil {
		return err
	}
	content, err := os.ReadFile(streamed)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	if err = os.WriteFile(path, append(content, sum[:]...), 0o600); err != nil {
		return err
	}
	return os.Remove(streamed)
}
