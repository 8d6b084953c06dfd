package main

func run() {
	if ready {
		warm()
		pour()
	}
	if !cold {
		warm()
		stir()
	}
}
