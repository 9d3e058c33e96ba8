// A provider in Go, without an SDK: it reads its settings, and answers what a host asks every provider. On the subject `now` of
// its own it answers with the time.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"log"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// settings is what this provider reads of the line that the host writes to its standard input.
type settings struct {
	HostID   string `json:"host_id"`
	Lattice  string `json:"lattice_rpc_prefix"`
	Provider string `json:"provider_key"`
	URL      string `json:"lattice_rpc_url"`
}

func main() {
	log.SetPrefix("clock: ")
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	settings, err := read()
	if err != nil {
		return err
	}
	connection, err := nats.Connect(settings.URL)
	if err != nil {
		return err
	}
	defer connection.Close()

	prefix := "wasmbus.rpc." + settings.Lattice + "." + settings.Provider
	shutdown := make(chan struct{})
	handlers := map[string]nats.MsgHandler{
		prefix + ".health": func(message *nats.Msg) {
			_ = message.Respond([]byte(`{"healthy":true}`))
		},
		prefix + ".now": func(message *nats.Msg) {
			_ = message.Respond([]byte(time.Now().UTC().Format(time.RFC3339)))
		},
		prefix + ".default.shutdown": func(message *nats.Msg) {
			var request struct {
				HostID string `json:"host_id"`
			}
			if json.Unmarshal(message.Data, &request) != nil || request.HostID != settings.HostID {
				return
			}
			_ = message.Respond([]byte(`shutting down`))
			close(shutdown)
		},
	}
	for subject, handler := range handlers {
		if _, err := connection.Subscribe(subject, handler); err != nil {
			return err
		}
	}
	<-shutdown
	return connection.Flush()
}

func read() (settings, error) {
	var read settings
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		return read, err
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
	if err != nil {
		return read, err
	}
	return read, json.Unmarshal(decoded, &read)
}
